import type { AccessBytes, Register } from '../isa.js';
import type { TokenCursor } from './token-cursor.js';

/** A place in memory as it is written: `(u32 *)(r10 - 4)`. */
export interface MemoryOperand {
  readonly bytes: AccessBytes;
  readonly isSigned: boolean;
  readonly base: Register;
  readonly offset: number;
}

const ACCESS_TYPES: ReadonlyMap<string, { readonly bytes: AccessBytes; readonly isSigned: boolean }> =
  new Map(
    [1, 2, 4, 8].flatMap((bytes) =>
      [true, false].map((isSigned) => [
        `${isSigned ? 's' : 'u'}${bytes * 8}`,
        // One of the four just above.
        { bytes: bytes as AccessBytes, isSigned },
      ]),
    ),
  );

/** `(u32 *)` */
export function parseAccessType(cursor: TokenCursor): { bytes: AccessBytes; isSigned: boolean } {
  cursor.expect('(');
  const type = ACCESS_TYPES.get(cursor.peek().text);
  if (type === undefined) throw cursor.unexpected('a type, u8 to u64 or s8 to s32');
  cursor.take();
  cursor.expect('*', ')');
  return type;
}

/** `(u32 *)(r10 - 4)` */
export function parseMemory(cursor: TokenCursor): MemoryOperand {
  const type = parseAccessType(cursor);
  cursor.expect('(');
  const place = parsePlace(cursor);
  cursor.expect(')');
  return { ...type, ...place };
}

/** `r10 - 4`, `r10 +0`, `r10` */
export function parsePlace(cursor: TokenCursor): { base: Register; offset: number } {
  const base = cursor.takeWideRegister();
  return { base, offset: cursor.isNext(')') || cursor.isNext(',') ? 0 : parseSignedOffset(cursor) };
}

/** An offset of 16 bits, which begins with its sign. */
export function parseSignedOffset(cursor: TokenCursor): number {
  if (!cursor.isNext('+') && !cursor.isNext('-')) throw cursor.unexpected('+ or - and an offset');
  return cursor.takeInteger(16, 'signed');
}
