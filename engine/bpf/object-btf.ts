import type { ObjectFile, ObjectFunction } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import { loadBtf, type OwnedFd } from '../kernel/index.js';
import type { Selection } from './selection.js';

const QUESTION_MARK = 0x3f;
const UNDERSCORE = 0x5f;

/**
 * Loads an object's types. A kernel that takes none of its sort only loses names and source lines, unless the
 * object needs the types themselves: struct_ops, and callbacks, whose functions the verifier finds by them.
 *
 * @throws VespidError BTF_REFUSED, KERNEL_*
 */
export function loadObjectBtf(object: ObjectFile, selection: Selection): OwnedFd | undefined {
  if (object.btf === undefined) return undefined;
  const bytes = withPlainSectionNames(object);
  try {
    return loadBtf(bytes);
  } catch (error) {
    const isRefused = error instanceof VespidError && error.code === 'BTF_REFUSED';
    if (!isRefused || needsTypes(object, selection)) throw error;
    return undefined;
  }
}

function needsTypes({ programs, subprograms }: ObjectFile, { structOps }: Selection): boolean {
  const takesAddress = ({ references }: ObjectFunction) =>
    references.some(({ kind }) => kind === 'function-address');
  return structOps.length > 0 || programs.some(takesAddress) || subprograms.some(takesAddress);
}

/** Kernels before 6.12 take no section name that begins with `?`; the name says nothing to any kernel. */
function withPlainSectionNames({ btf }: ObjectFile): Uint8Array {
  if (btf === undefined) return new Uint8Array(0);
  const optional = /\0\?\./;
  const text = Buffer.from(btf.bytes.buffer, btf.bytes.byteOffset, btf.bytes.byteLength).toString('latin1');
  if (!optional.test(text)) return btf.bytes;
  const bytes = btf.bytes.slice();
  for (const match of text.matchAll(/\0\?(?=\.struct_ops)/g)) {
    if (bytes[match.index + 1] === QUESTION_MARK) bytes[match.index + 1] = UNDERSCORE;
  }
  return bytes;
}
