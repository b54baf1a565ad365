import type { AtomicOperation } from '../instruction/instruction.js';
import type { Register } from '../isa.js';
import { type MemoryOperand, parseMemory, parsePlace } from './parse-memory.js';
import type { Parsed } from './statement.js';
import type { TokenCursor } from './token-cursor.js';

const LOCKED: ReadonlyMap<string, AtomicOperation> = new Map([
  ['+=', 'add'],
  ['|=', 'or'],
  ['&=', 'and'],
  ['^=', 'xor'],
]);

/** What gives back the old value, by its name in either form. */
type ReturningOperation =
  | { readonly kind: 'fetch'; readonly operation: AtomicOperation; readonly bytes: 4 | 8 | undefined }
  | {
      readonly kind: 'exchange' | 'compare-exchange';
      readonly bytes: 4 | 8;
      /** LLVM's form has the place alone, `(r1 + 0, r2)`; the kernel's has its type before it. */
      readonly isTyped: boolean;
    };

const RETURNING: ReadonlyMap<string, ReturningOperation> = new Map([
  ...(['add', 'or', 'and', 'xor'] as const).flatMap((operation): [string, ReturningOperation][] => [
    // LLVM's for both sizes, the kernel's for 32 bits.
    [`atomic_fetch_${operation}`, { kind: 'fetch', operation, bytes: undefined }],
    [`atomic64_fetch_${operation}`, { kind: 'fetch', operation, bytes: 8 }],
  ]),
  ['xchg_64', { kind: 'exchange', bytes: 8, isTyped: false }],
  ['xchg32_32', { kind: 'exchange', bytes: 4, isTyped: false }],
  ['atomic64_xchg', { kind: 'exchange', bytes: 8, isTyped: true }],
  ['atomic_xchg', { kind: 'exchange', bytes: 4, isTyped: true }],
  ['cmpxchg_64', { kind: 'compare-exchange', bytes: 8, isTyped: false }],
  ['cmpxchg32_32', { kind: 'compare-exchange', bytes: 4, isTyped: false }],
  ['atomic64_cmpxchg', { kind: 'compare-exchange', bytes: 8, isTyped: true }],
  ['atomic_cmpxchg', { kind: 'compare-exchange', bytes: 4, isTyped: true }],
]);

/** `lock *(u64 *)(r1 + 0) += r2` */
export function parseLocked(cursor: TokenCursor): Parsed {
  cursor.expect('lock', '*');
  const { bytes, base, offset } = parseAtomicMemory(cursor);
  const operation = cursor.peekWord(LOCKED);
  if (operation === undefined) throw cursor.unexpected('+=, |=, &= or ^=');
  cursor.take();
  const { register: source } = cursor.takeRegister();
  return { instruction: { kind: 'atomic', bytes, operation, fetch: false, base, offset, source } };
}

/** `store_release((u64 *)(r1 + 0), r2)` */
export function parseStoreRelease(cursor: TokenCursor): Parsed {
  cursor.expect('store_release', '(');
  const { bytes, base, offset } = parseMemory(cursor);
  cursor.expect(',');
  const { register: source } = cursor.takeRegister();
  cursor.expect(')');
  return { instruction: { kind: 'store-release', bytes, base, offset, source } };
}

/**
 * What stands behind `r1 =` and is atomic; undefined if it is something else.
 * @param destination what is before the `=`
 */
export function parseReturningAtomic(cursor: TokenCursor, destination: Register): Parsed | undefined {
  if (cursor.isNext('load_acquire', '(')) {
    cursor.expect('load_acquire', '(');
    const { bytes, base, offset } = parseMemory(cursor);
    cursor.expect(')');
    return { instruction: { kind: 'load-acquire', bytes, base, offset, destination } };
  }
  const operation = RETURNING.get(cursor.peek().text);
  if (operation === undefined || cursor.peek().kind !== 'name') return undefined;
  cursor.take();
  cursor.expect('(');
  const { bytes, base, offset } = parseOperandOf(cursor, operation);
  cursor.expect(',');
  // The old value goes to the source register, and of a comparison to R0: the text says it twice.
  if (operation.kind === 'compare-exchange') {
    expectRegister(cursor, 0, destination);
    cursor.expect(',');
  }
  const source =
    operation.kind === 'compare-exchange'
      ? cursor.takeRegister().register
      : expectRegister(cursor, destination, destination);
  cursor.expect(')');
  if (operation.kind === 'fetch') {
    const { operation: name } = operation;
    return { instruction: { kind: 'atomic', operation: name, fetch: true, bytes, base, offset, source } };
  }
  const place = { bytes, base, offset, source };
  const { kind } = operation;
  return { instruction: kind === 'exchange' ? { kind, ...place } : { kind, ...place } };
}

function parseOperandOf(
  cursor: TokenCursor,
  operation: ReturningOperation,
): { bytes: 4 | 8; base: Register; offset: number } {
  if (operation.kind !== 'fetch' && !operation.isTyped) {
    return { bytes: operation.bytes, ...parsePlace(cursor) };
  }
  const token = cursor.peek(1);
  const memory = parseAtomicMemory(cursor);
  if (operation.bytes === undefined || operation.bytes === memory.bytes) return memory;
  const message = `u${operation.bytes * 8} expected of this operation`;
  throw cursor.source.error('ASSEMBLY_SYNTAX', token, message);
}

function parseAtomicMemory(cursor: TokenCursor): MemoryOperand & { readonly bytes: 4 | 8 } {
  const token = cursor.peek(1);
  const memory = parseMemory(cursor);
  const { bytes } = memory;
  if ((bytes === 4 || bytes === 8) && !memory.isSigned) return { ...memory, bytes };
  throw cursor.source.error('ASSEMBLY_SYNTAX', token, 'an atomic operation is on u32 or u64');
}

function expectRegister(cursor: TokenCursor, expected: Register, destination: Register): Register {
  const { register, span } = cursor.takeRegister();
  if (register === expected && destination === expected) return register;
  throw cursor.source.error(
    'ASSEMBLY_SYNTAX',
    span,
    `register ${expected} expected, on both sides of the =: it gets the old value`,
  );
}
