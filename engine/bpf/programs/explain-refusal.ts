import {
  formatSourceLine,
  type LinkedProgram,
  POISON_HELPER_ID,
  type PoisonedInstruction,
  sourceLineAt,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import type { KernelExterns } from '../externs/kernel-externs.js';
import { POISON_KFUNC_BASE } from './poison-missing-calls.js';

/** The verifier's line before a call of a helper that does not exist: `12: (85) call unknown#195896080`. */
const UNKNOWN_CALL = /^(\d+): \(85\) call unknown#(\d+)/gm;

/**
 * Says what a refusal by the verifier means where it stopped at an instruction that the loader had to poison. Any
 * other error comes back as it is.
 */
export function explainRefusal(
  error: unknown,
  linked: LinkedProgram,
  poisoned: readonly PoisonedInstruction[],
  externs: KernelExterns | undefined,
): unknown {
  if (!(error instanceof VespidError) || error.code !== 'PROGRAM_REFUSED') return error;
  const last = [...(error.log ?? '').matchAll(UNKNOWN_CALL)].at(-1);
  if (last === undefined) return error;
  const slotIndex = Number(last[1]);
  const reason = reasonFor(slotIndex, Number(last[2]), poisoned, externs);
  if (reason === undefined) return error;
  const line = sourceLineAt(linked.lines, slotIndex);
  const where = line === undefined ? `instruction ${slotIndex}` : formatSourceLine(line);
  return new VespidError(
    'PROGRAM_REFUSED',
    `${linked.objectName}: program ${linked.name}: ${reason} (${where})`,
    {
      cause: error,
      ...(error.log === undefined ? {} : { log: error.log }),
      details: { ...error.details, object: linked.objectName, program: linked.name, slotIndex },
      hint: 'test for it before it is used (bpf_core_field_exists, bpf_ksym_exists), or use a kernel that has it',
    },
  );
}

function reasonFor(
  slotIndex: number,
  helperId: number,
  poisoned: readonly PoisonedInstruction[],
  externs: KernelExterns | undefined,
): string | undefined {
  if (helperId === POISON_HELPER_ID) {
    return poisoned.find((instruction) => instruction.slotIndex === slotIndex)?.reason;
  }
  for (const [name, { index, resolved }] of externs?.byName ?? []) {
    if (helperId !== POISON_KFUNC_BASE + index || resolved.kind !== 'missing') continue;
    return `it calls ${name} of the kernel: ${resolved.reason}`;
  }
  return undefined;
}
