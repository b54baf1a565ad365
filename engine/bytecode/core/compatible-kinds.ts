import type { BtfKind } from '../btf/btf-type.js';

/** The same kind, where the two sizes of enum count as one. */
export function compatibleKinds(a: BtfKind, b: BtfKind): boolean {
  return a === b || (isEnum(a) && isEnum(b));
}

export function isComposite(kind: BtfKind): kind is 'struct' | 'union' {
  return kind === 'struct' || kind === 'union';
}

export function isEnum(kind: BtfKind): kind is 'enum' | 'enum64' {
  return kind === 'enum' || kind === 'enum64';
}
