import { InstructionSlots, type LinkedProgram, PSEUDO, PSEUDO_KFUNC_CALL } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { externUnresolved } from '../externs/extern-unresolved.js';
import type { KernelExterns, NumberedExtern } from '../externs/kernel-externs.js';

/** What instructions of an object refer to, as it exists in the kernel. */
export interface ReferenceTargets {
  /** File descriptor of a map, of a data section's map (by the section's name), or undefined if it was not made. */
  readonly mapFd: (name: string) => number | undefined;
  readonly kconfigFd: number | undefined;
  readonly arenaMapName: string | undefined;
  /** Called only for a program that refers to the kernel. */
  readonly externs: () => KernelExterns;
}

/**
 * Puts descriptors, BTF ids and addresses into a program's instructions, in place (RFC 9669, section 5.4).
 *
 * @throws VespidError EXTERN_UNRESOLVED naming what this kernel lacks, KERNEL_*
 */
export function patchReferences(
  instructions: Uint8Array,
  linked: LinkedProgram,
  targets: ReferenceTargets,
): void {
  const slots = new InstructionSlots(instructions, `${linked.objectName}: ${linked.name}`);
  for (const { slotIndex, map } of linked.mapReferences) {
    loadPseudo(slots, slotIndex, PSEUDO.mapFd, mapFd(linked, targets, map), 0);
  }
  for (const { slotIndex, section, byteOffset } of linked.dataReferences) {
    loadPseudo(slots, slotIndex, PSEUDO.mapValue, mapFd(linked, targets, section), byteOffset);
  }
  for (const { slotIndex, byteOffset } of linked.kconfigReferences) {
    loadPseudo(
      slots,
      slotIndex,
      PSEUDO.mapValue,
      existing(linked, targets.kconfigFd, '.kconfig'),
      byteOffset,
    );
  }
  for (const { slotIndex, byteOffset } of linked.arenaReferences) {
    const name = targets.arenaMapName ?? 'arena';
    loadPseudo(slots, slotIndex, PSEUDO.mapValue, mapFd(linked, targets, name), byteOffset);
  }
  for (const { slotIndex, name } of linked.externReferences) {
    loadAddress(slots, slotIndex, externOf(linked, slotIndex, name, targets));
  }
  for (const { slotIndex, name } of linked.kfuncReferences) {
    callFunction(slots, slotIndex, externOf(linked, slotIndex, name, targets));
  }
}

function mapFd(linked: LinkedProgram, targets: ReferenceTargets, name: string): number {
  return existing(linked, targets.mapFd(name), name);
}

function existing(linked: LinkedProgram, fd: number | undefined, name: string): number {
  if (fd !== undefined) return fd;
  throw new VespidError(
    'INTERNAL',
    `${linked.objectName}: ${linked.name} refers to ${name}, which was not made`,
  );
}

/** @throws VespidError EXTERN_UNRESOLVED when it is missing and not weak */
function externOf(
  linked: LinkedProgram,
  slotIndex: number,
  name: string,
  targets: ReferenceTargets,
): NumberedExtern {
  const extern = targets.externs().byName.get(name);
  if (extern === undefined)
    throw new VespidError('OBJECT_MALFORMED', `${linked.objectName}: no extern ${name}`);
  if (extern.resolved.kind === 'missing' && !extern.isWeak) {
    throw externUnresolved(linked, slotIndex, name, extern.resolved.reason);
  }
  return extern;
}

function loadPseudo(
  slots: InstructionSlots,
  slotIndex: number,
  source: number,
  first: number,
  second: number,
): void {
  slots.setSourceRegister(slotIndex, source);
  slots.setImmediate(slotIndex, first);
  slots.setImmediate(slotIndex + 1, second);
}

/** A variable or function by its BTF id, a symbol by its address, and 0 for what is not there. */
function loadAddress(slots: InstructionSlots, slotIndex: number, { resolved }: NumberedExtern): void {
  switch (resolved.kind) {
    case 'function':
    case 'variable':
      loadPseudo(slots, slotIndex, PSEUDO.variable, resolved.typeId, resolved.moduleBtfFd);
      return;
    case 'symbol':
      slots.setImmediate64(slotIndex, resolved.address);
      return;
    case 'missing':
      slots.setImmediate64(slotIndex, 0n);
  }
}

/**
 * A call of a kernel function by its BTF id. One that is not there stays a call of function 0, which the kernel takes
 * where it cannot be reached (add_kfunc_call of kernel/bpf/verifier.c).
 */
function callFunction(slots: InstructionSlots, slotIndex: number, { resolved }: NumberedExtern): void {
  const isThere = resolved.kind === 'function';
  slots.setSourceRegister(slotIndex, PSEUDO_KFUNC_CALL);
  slots.setImmediate(slotIndex, isThere ? resolved.typeId : 0);
  slots.setOffset(slotIndex, isThere ? resolved.fdArrayIndex : 0);
}
