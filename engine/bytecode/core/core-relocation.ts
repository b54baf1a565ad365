import type { Btf } from '../btf/btf-reader.js';
import { parseAccess } from './access.js';
import { findTargets } from './candidates.js';
import { describeAccess } from './describe.js';
import { relocatedValue } from './relocated-value.js';
import { coreError } from './relocation-error.js';
import type { CoreKind } from './relocation-kind.js';
import { type CoreResolution, plainValue } from './resolution.js';

/** A CO-RE relocation as the object states it (`struct bpf_core_relo`, with its strings resolved). */
export interface CoreRelocation {
  readonly kind: CoreKind;
  /** Root of the access, in the object's own BTF. */
  readonly typeId: number;
  /** `0:3:1`: array index on the root, then member and array indexes. */
  readonly access: string;
}

/**
 * Resolves one relocation against the kernel's types as libbpf does (Documentation/bpf/llvm_reloc.rst, section
 * "CO-RE Relocations"): every kernel type of the same essential name and kind is a candidate, all that fit must
 * agree, and if none fits the answer is "absent" for the kinds that ask, and poison for those that need it.
 * @throws VespidError CORE_MALFORMED, CORE_UNSUPPORTED, CORE_AMBIGUOUS, BTF_MALFORMED
 */
export function resolveCoreRelocation(relocation: CoreRelocation, local: Btf, target: Btf): CoreResolution {
  const { kind } = relocation;
  if (kind === 'type-matches') {
    throw coreError('CORE_UNSUPPORTED', local, relocation, 'the kind type-matches is not supported yet');
  }
  const localAccess = parseAccess(relocation, local);
  if (kind === 'type-id-local')
    return plainValue(BigInt(relocation.typeId), BigInt(relocation.typeId), false);

  const targets = findTargets(relocation, localAccess, target);
  const resolutions = targets.map((access) => relocatedValue(kind, localAccess, access));
  const first = resolutions[0] ?? relocatedValue(kind, localAccess, undefined);
  for (const [index, resolution] of resolutions.entries()) {
    if (sameResolution(first, resolution) && targets[index]?.bitOffset === targets[0]?.bitOffset) continue;
    const name = describeAccess(localAccess);
    const where = targets.map((access) => `type ${access.rootTypeId}`).join(', ');
    throw coreError('CORE_AMBIGUOUS', local, relocation, `${name} differs between ${where} of the kernel`);
  }
  return first;
}

/**
 * What the instruction of a relocation must hold in the object.
 * @throws VespidError CORE_MALFORMED
 */
export function localValueOf(relocation: CoreRelocation, local: Btf): bigint {
  const access = parseAccess(relocation, local);
  if (relocation.kind === 'type-id-local') return BigInt(relocation.typeId);
  const resolution = relocatedValue(relocation.kind, access, access);
  return resolution.outcome === 'value' ? resolution.localValue : 0n;
}

function sameResolution(a: CoreResolution, b: CoreResolution): boolean {
  if (a.outcome === 'value') return b.outcome === 'value' && a.targetValue === b.targetValue;
  return b.outcome === 'poison';
}
