import { type ErrorCode, VespidError } from '../../errors/index.js';
import type { Btf } from '../btf/btf-reader.js';
import type { CoreRelocation } from './core-relocation.js';

/** An error about one relocation; who applies it adds program and instruction. */
export function coreError(
  code: ErrorCode,
  local: Btf,
  relocation: CoreRelocation,
  message: string,
): VespidError {
  const { kind, typeId, access } = relocation;
  const what = `${kind} of type ${typeId} (${local.nameOf(typeId) || local.kindOf(typeId)}), access ${access}`;
  return new VespidError(code, `${local.label}: CO-RE relocation ${what}: ${message}`, {
    details: { kind, access, typeId },
  });
}
