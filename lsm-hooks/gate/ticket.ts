/**
 * A ticket admits one load of one program by one process. The gate and the loader compute its digest
 * independently: SHA-256 over one 64-byte block of facts, then the instructions as the kernel holds them.
 *
 * | offset | size | block of facts                                             |
 * |--------|------|------------------------------------------------------------|
 * | 0      | 16   | {@link TICKET_MAGIC}                                       |
 * | 16     | 4    | enum bpf_prog_type                                         |
 * | 20     | 4    | expected attach type                                       |
 * | 24     | 4    | BTF type id of the attach target, or 0                     |
 * | 28     | 4    | id of the BTF object which that type is of, or 0           |
 * | 32     | 4    | 1 when another program is extended or traced, else 0       |
 * | 36     | 4    | 1 when the licence is GPL-compatible, else 0               |
 * | 40     | 24   | zero                                                       |
 */
export interface TicketFacts {
  readonly programType: number;
  readonly expectedAttachType: number;
  readonly attachBtfId: number;
  readonly attachBtfObjectId: number;
  readonly hasTargetProgram: boolean;
  readonly gplCompatible: boolean;
}

export const TICKET_MAGIC = 'vespid-ticket-v1';
export const TICKET_OFFSET = {
  programType: 16,
  expectedAttachType: 20,
  attachBtfId: 24,
  attachBtfObjectId: 28,
  hasTargetProgram: 32,
  gplCompatible: 36,
} as const;
export const TICKET_BLOCK_BYTES = 64;

export function encodeTicketFacts(facts: TicketFacts): Uint8Array {
  const bytes = new Uint8Array(TICKET_BLOCK_BYTES);
  bytes.set(new TextEncoder().encode(TICKET_MAGIC));
  const view = new DataView(bytes.buffer);
  view.setUint32(TICKET_OFFSET.programType, facts.programType, true);
  view.setUint32(TICKET_OFFSET.expectedAttachType, facts.expectedAttachType, true);
  view.setUint32(TICKET_OFFSET.attachBtfId, facts.attachBtfId, true);
  view.setUint32(TICKET_OFFSET.attachBtfObjectId, facts.attachBtfObjectId, true);
  view.setUint32(TICKET_OFFSET.hasTargetProgram, facts.hasTargetProgram ? 1 : 0, true);
  view.setUint32(TICKET_OFFSET.gplCompatible, facts.gplCompatible ? 1 : 0, true);
  return bytes;
}

/** The licences that license_is_gpl_compatible() of include/linux/license.h takes. */
const GPL_COMPATIBLE = [
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
];

export function isGplCompatible(license: string): boolean {
  return GPL_COMPATIBLE.includes(license);
}

/** The `tickets` map: key = digest, value = u32 process id of the loader, u32 zero, u64 expiry (CLOCK_BOOTTIME). */
export const TICKETS_MAP = { name: 'tickets', keySize: 32, valueSize: 16, maxEntries: 1024 } as const;

export interface Ticket {
  readonly loaderPid: number;
  /** Nanoseconds of CLOCK_BOOTTIME; a load after it is refused. */
  readonly expiresNs: bigint;
}

export function encodeTicket(ticket: Ticket): Uint8Array {
  const bytes = new Uint8Array(TICKETS_MAP.valueSize);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, ticket.loaderPid, true);
  view.setBigUint64(8, ticket.expiresNs, true);
  return bytes;
}
