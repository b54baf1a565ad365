import type { BinaryOperation, Operand, Width } from '../instruction/instruction.js';
import type { Register } from '../isa.js';
import type { Span } from './assembly-source.js';
import { OPERATORS } from './form-parts.js';
import { parseAddress } from './parse-address.js';
import { parseReturningAtomic } from './parse-atomic.js';
import { parseAccessType, parseMemory } from './parse-memory.js';
import type { Parsed } from './statement.js';
import type { TokenCursor } from './token-cursor.js';

const OPERATIONS: ReadonlyMap<string, BinaryOperation> = new Map(
  // The keys of OPERATORS are exactly the operations.
  Object.entries(OPERATORS).map(([operation, text]) => [text, operation as BinaryOperation]),
);

const SWAPS: ReadonlyMap<string, { readonly kind: 'le' | 'be' | 'bswap'; readonly bits: 16 | 32 | 64 }> =
  new Map(
    (['le', 'be', 'bswap'] as const).flatMap((kind) =>
      ([16, 32, 64] as const).map((bits) => [`${kind}${bits}`, { kind, bits }]),
    ),
  );

const EXTENSIONS: ReadonlyMap<string, 8 | 16 | 32> = new Map([
  ['s8', 8],
  ['s16', 16],
  ['s32', 32],
]);

/**
 * Everything that begins with a register: arithmetic, moves, loads, and atomic operations that give a value back.
 * @param isWide the line's opcode in parentheses is that of `ld_imm64`, which the kernel's form needs to be known
 */
export function parseAssignment(cursor: TokenCursor, isWide: boolean): Parsed {
  const { width, register: destination } = cursor.takeRegister();
  const operation = cursor.peekWord(OPERATIONS);
  if (operation === undefined) {
    throw cursor.unexpected('an operator: = += -= *= /= %= &= |= ^= <<= >>= s>>= s/= s%=');
  }
  cursor.take();
  if (operation !== 'mov') {
    const source = parseOperand(cursor, width);
    return { instruction: { kind: 'alu', width, operation, destination, source } };
  }
  return (
    parseReturningAtomic(cursor, destination) ??
    parseMemoryRead(cursor, width, destination) ??
    parseUnary(cursor, width, destination) ??
    parseAddress(cursor, width, destination) ??
    parseMove(cursor, width, destination, isWide)
  );
}

/** A register of the same width, or an immediate of 32 bits. */
export function parseOperand(cursor: TokenCursor, width: Width): Operand {
  const register = cursor.peekRegister();
  if (register === undefined) {
    if (!cursor.isNumber())
      throw cursor.unexpected(`a number or a register, ${width === 64 ? 'r0 to r10' : 'w0 to w10'}`);
    return { kind: 'immediate', value: cursor.takeInteger(32, 'either') };
  }
  const { span } = cursor.takeRegister();
  if (register.width === width) return { kind: 'register', register: register.register };
  throw cursor.source.error(
    'ASSEMBLY_SYNTAX',
    span,
    `${width === 64 ? 'r' : 'w'}${register.register} expected: both operands have ${width} bits`,
  );
}

/** `*(u32 *)(r1 + 0)`, `*(u16 *)skb[r2 + 4]` */
function parseMemoryRead(cursor: TokenCursor, width: Width, destination: Register): Parsed | undefined {
  if (!cursor.isNext('*')) return undefined;
  const { start, end } = cursor.take();
  if (cursor.isNext('(') && cursor.peek(4).text === 'skb') return parsePacketLoad(cursor, destination);
  const { bytes, isSigned, base, offset } = parseMemory(cursor);
  if (isSigned && bytes === 8) {
    throw cursor.source.error(
      'ASSEMBLY_SYNTAX',
      { start, end },
      'u64 expected: 64 bits have no sign to extend',
    );
  }
  if (width === 32 && (bytes === 8 || isSigned)) {
    const message = `r${destination} expected: this load fills 64 bits`;
    throw cursor.source.error('ASSEMBLY_SYNTAX', { start, end }, message);
  }
  return { instruction: { kind: 'load', bytes, isSigned, destination, base, offset } };
}

function parsePacketLoad(cursor: TokenCursor, destination: Register): Parsed {
  const token = cursor.peek(1);
  const { bytes, isSigned } = parseAccessType(cursor);
  if (destination !== 0 || isSigned || bytes === 8) {
    throw cursor.source.error('ASSEMBLY_SYNTAX', token, 'a packet load is r0 = *(u8, u16 or u32 *)skb[...]');
  }
  cursor.expect('skb', '[');
  const index = cursor.peekRegister() === undefined ? undefined : cursor.takeWideRegister();
  const offset = index !== undefined && cursor.isNext(']') ? 0 : cursor.takeInteger(32, 'signed');
  cursor.expect(']');
  return { instruction: { kind: 'load-packet', bytes, index, offset } };
}

/** `-r1`, `be16 r1`, `bswap32 r1`, `(s8)r2`, `addr_space_cast(r2, 0, 1)` */
function parseUnary(cursor: TokenCursor, width: Width, destination: Register): Parsed | undefined {
  if (cursor.isNext('-') && cursor.peek(1).kind === 'name') {
    cursor.take();
    expectSame(cursor, width, destination);
    return { instruction: { kind: 'negate', width, destination } };
  }
  const swap = SWAPS.get(cursor.peek().text);
  if (swap !== undefined) {
    cursor.take();
    expectSame(cursor, 64, destination);
    const { kind, bits } = swap;
    if (kind === 'bswap') return { instruction: { kind: 'byte-swap', bits, destination } };
    const byteOrder = kind === 'be' ? 'big-endian' : 'little-endian';
    return { instruction: { kind: 'to-byte-order', byteOrder, bits, destination } };
  }
  if (cursor.isNext('(')) return parseExtension(cursor, width, destination);
  if (cursor.isNext('addr_space_cast', '(')) return parseCast(cursor, destination);
  return undefined;
}

function parseExtension(cursor: TokenCursor, width: Width, destination: Register): Parsed {
  cursor.expect('(');
  const bits = EXTENSIONS.get(cursor.peek().text);
  if (bits === undefined) throw cursor.unexpected('s8, s16 or s32');
  const span = cursor.take();
  cursor.expect(')');
  const source = cursor.takeRegister();
  if (source.width !== width || (bits === 32 && width === 32)) {
    const message = 'r1 = (s8, s16 or s32)r2 or w1 = (s8 or s16)w2 expected';
    throw cursor.source.error('ASSEMBLY_SYNTAX', span, message);
  }
  const { register } = source;
  return { instruction: { kind: 'move-sign-extended', width, bits, destination, source: register } };
}

function parseCast(cursor: TokenCursor, destination: Register): Parsed {
  cursor.expect('addr_space_cast', '(');
  const source = cursor.takeWideRegister();
  cursor.expect(',');
  const toSpace = cursor.takeInteger(16, 'either') & 0xffff;
  cursor.expect(',');
  const fromSpace = cursor.takeInteger(16, 'either') & 0xffff;
  cursor.expect(')');
  return { instruction: { kind: 'address-space-cast', destination, source, toSpace, fromSpace } };
}

function expectSame(cursor: TokenCursor, width: Width, destination: Register): void {
  const { width: found, register, span } = cursor.takeRegister();
  if (found === width && register === destination) return;
  const expected = `${width === 64 ? 'r' : 'w'}${destination}`;
  throw cursor.source.error('ASSEMBLY_SYNTAX', span, `${expected} expected: the operation has one operand`);
}

/** A register, a number, or a name that stands for an address: `counts ll`, `settings+0x8 ll`. */
function parseMove(cursor: TokenCursor, width: Width, destination: Register, isWide: boolean): Parsed {
  // r11 is no register, and no name for anything else.
  const isName = cursor.peek().kind === 'name' && !/^[rw][0-9]+$/.test(cursor.peek().text);
  if (isName) {
    const name = cursor.takeName();
    const value = cursor.isNext('+') || cursor.isNext('-') ? BigInt(cursor.takeInteger(32, 'signed')) : 0n;
    if (!cursor.accept('ll')) throw cursor.unexpected('ll: an address has 64 bits');
    expectWide(cursor, width, destination, name);
    return { instruction: { kind: 'load-immediate64', destination, value }, name };
  }
  if (cursor.isNumber()) {
    const ahead = cursor.peek().kind === 'number' ? 1 : 2;
    const suffix = cursor.peek(ahead);
    if (isWide || (suffix.kind === 'name' && suffix.text === 'll')) {
      const { value, span } = cursor.takeInteger64();
      cursor.accept('ll');
      expectWide(cursor, width, destination, span);
      return {
        instruction: { kind: 'load-immediate64', destination, value },
      };
    }
  }
  const source = parseOperand(cursor, width);
  return { instruction: { kind: 'alu', width, operation: 'mov', destination, source } };
}

function expectWide(cursor: TokenCursor, width: Width, destination: Register, span: Span): void {
  if (width === 64) return;
  throw cursor.source.error('ASSEMBLY_SYNTAX', span, `r${destination} expected: ll means 64 bits`);
}
