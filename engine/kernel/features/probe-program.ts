import { PROGRAM_TYPE } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { BpfProgram, type ProgramLoad } from '../programs/program.js';

/** One slot: opcode, destination, source, offset, immediate (RFC 9669, section 3). */
export type RawSlot = readonly [
  opcode: number,
  destination: number,
  source: number,
  offset: number,
  immediate: number,
];

/** Instructions by their encoding, for probes of the encoding itself. */
export function encodeSlots(slots: readonly RawSlot[]): Uint8Array {
  const bytes = new Uint8Array(slots.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, [opcode, destination, source, offset, immediate]] of slots.entries()) {
    view.setUint8(index * 8, opcode);
    view.setUint8(index * 8 + 1, (source << 4) | destination);
    view.setInt16(index * 8 + 2, offset, true);
    view.setInt32(index * 8 + 4, immediate, true);
  }
  return bytes;
}

/** `r0 = value` */
export const setR0 = (value: number): RawSlot => [0xb7, 0, 0, 0, value];
export const EXIT: RawSlot = [0x95, 0, 0, 0, 0];

/** A program that returns `value` and nothing else. */
export const returning = (value: number): Uint8Array => encodeSlots([setR0(value), EXIT]);

/** Loads a program of a probe: a socket filter that returns 0, unless said otherwise. */
export function loadProbe(overrides: Partial<ProgramLoad>): BpfProgram {
  return BpfProgram.load({
    name: 'vespid_probe',
    type: PROGRAM_TYPE['socket-filter'],
    expectedAttachType: 0,
    attachBtfId: 0,
    license: 'GPL',
    instructions: returning(0),
    sleepable: false,
    btf: undefined,
    functionInfo: [],
    ...overrides,
  });
}

/** Loads and closes. */
export function tryLoad(overrides: Partial<ProgramLoad>): void {
  using _program = loadProbe(overrides);
}

/**
 * Some hardened kernels refuse every program that attaches by a trampoline, with EPERM and without a log.
 *
 * @throws VespidError KERNEL_UNSUPPORTED that says so
 */
export function onTrampoline<Result>(load: () => Result): Result {
  try {
    return load();
  } catch (cause) {
    if (!(cause instanceof VespidError) || cause.code !== 'KERNEL_PERMISSION') throw cause;
    throw new VespidError(
      'KERNEL_UNSUPPORTED',
      'the kernel refuses programs that need a BPF trampoline (EPERM)',
      { cause },
    );
  }
}
