import { VespidError } from '../../errors/index.js';
import { MAX_RESOLVE_DEPTH } from './btf-format.js';
import type { Btf } from './btf-reader.js';
import type { BtfType } from './btf-type.js';

/** BPF has 64-bit pointers, and so has every kernel that runs it through this program. */
export const POINTER_BYTES = 8;

/** The kernel refuses arrays of more than U32_MAX bytes (btf_array_resolve). */
const MAX_ARRAY_ELEMENTS = 0xffff_ffff;

/**
 * The id of the type under typedefs and const, volatile, restrict and type tags.
 * @throws VespidError BTF_MALFORMED for a chain that does not end
 */
export function skipModifiers(btf: Btf, typeId: number): number {
  let current = typeId;
  for (let depth = 0; depth <= MAX_RESOLVE_DEPTH; depth++) {
    const type = btf.type(current);
    switch (type.kind) {
      case 'typedef':
      case 'const':
      case 'volatile':
      case 'restrict':
      case 'type-tag':
        current = type.typeId;
        break;
      default:
        return current;
    }
  }
  throw malformed(btf, `type ${typeId}: more than ${MAX_RESOLVE_DEPTH} modifiers in a chain`);
}

/** The type under modifiers and typedefs. */
export function underlyingType(btf: Btf, typeId: number): BtfType {
  return btf.type(skipModifiers(btf, typeId));
}

/**
 * Size in bytes of a value of a type.
 * @throws VespidError BTF_MALFORMED for a type without size (void, functions, forward declarations)
 */
export function byteSizeOf(btf: Btf, typeId: number): number {
  let count = 1;
  let current = typeId;
  for (let depth = 0; depth <= MAX_RESOLVE_DEPTH; depth++) {
    const type = underlyingType(btf, current);
    switch (type.kind) {
      case 'int':
      case 'struct':
      case 'union':
      case 'enum':
      case 'enum64':
      case 'float':
      case 'data-section':
        return count * type.byteSize;
      case 'pointer':
        return count * POINTER_BYTES;
      case 'array':
        count *= type.count;
        if (count > MAX_ARRAY_ELEMENTS) throw malformed(btf, `type ${typeId}: array of ${count} elements`);
        current = type.elementTypeId;
        break;
      case 'variable':
        current = type.typeId;
        break;
      default:
        throw malformed(btf, `type ${typeId} (${type.kind} ${btf.nameOf(current)}) has no size`);
    }
  }
  throw malformed(btf, `type ${typeId}: more than ${MAX_RESOLVE_DEPTH} arrays in one another`);
}

function malformed(btf: Btf, message: string): VespidError {
  return new VespidError('BTF_MALFORMED', `${btf.label}: ${message}`);
}
