import type { Btf } from '../btf/btf-reader.js';
import { parseAccess } from './access.js';
import type { CoreRelocation } from './core-relocation.js';
import { relocatedValue } from './relocated-value.js';

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
