import type { Address, BinaryOperation, Operand, Width } from '../instruction/instruction.js';
import { PSEUDO, type Register } from '../isa.js';
import type { Span } from './assembly-source.js';
import { OPERATORS } from './form-parts.js';
import { parseReturningAtomic } from './parse-atomic.js';
import { parseAccessType, parseMemory } from './parse-memory.js';
import type { NameInText, Parsed } from './statement.js';
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

/** The kernel's names of addresses: `map[id:5]`, `map[name:counts][0]+8`, `subprog[+5]`, `var[jiffies]` */
function parseAddress(cursor: TokenCursor, width: Width, destination: Register): Parsed | undefined {
  const isAddress = ['map', 'subprog', 'var'].some((word) => cursor.isNext(word, '['));
  if (!isAddress) return undefined;
  const start = cursor.take();
  if (width === 32)
    throw cursor.source.error('ASSEMBLY_SYNTAX', start, `r${destination} expected: an address has 64 bits`);
  cursor.expect('[');
  if (start.text === 'subprog') {
    if (cursor.peek().kind === 'name') {
      const name = takeName(cursor);
      cursor.expect(']');
      return { ...plainAddress(destination), name };
    }
    const offset = cursor.takeInteger(32, 'signed');
    cursor.expect(']');
    return loadAddress(destination, { kind: 'function', offset });
  }
  if (start.text === 'var') return parseVariable(cursor, destination);
  if (cursor.isNext('name', ':')) return parseNamedMap(cursor, destination);
  return loadAddress(destination, parseNumberedMap(cursor));
}

function parseVariable(cursor: TokenCursor, destination: Register): Parsed {
  if (cursor.peek().kind === 'name' && cursor.peek(1).text === ']') {
    const name = takeName(cursor);
    cursor.expect(']');
    const value = cursor.isNumber() ? BigInt(cursor.takeInteger(32, 'signed')) : 0n;
    return { instruction: { kind: 'load-immediate64', destination, value }, name };
  }
  cursor.expect('id', ':');
  const typeId = cursor.takeInteger(32, 'either');
  cursor.expect(']');
  let btfFd = 0;
  if (cursor.accept('[')) {
    cursor.expect('fd', ':');
    btfFd = cursor.takeInteger(32, 'either');
    cursor.expect(']');
  }
  return loadAddress(destination, { kind: 'variable', typeId, btfFd });
}

function parseNamedMap(cursor: TokenCursor, destination: Register): Parsed {
  cursor.expect('name', ':');
  const name = takeName(cursor);
  cursor.expect(']');
  if (!cursor.accept('[')) return { ...plainAddress(destination), name };
  cursor.expect('0', ']');
  const value = BigInt(cursor.takeInteger(32, 'signed'));
  return { instruction: { kind: 'load-immediate64', destination, value }, name };
}

function parseNumberedMap(cursor: TokenCursor): Address {
  const isIndex = cursor.isNext('idx');
  if (!isIndex && !cursor.isNext('id') && !cursor.isNext('fd')) throw cursor.unexpected('id:, idx: or name:');
  cursor.take();
  cursor.expect(':');
  const number = cursor.takeInteger(32, 'either');
  cursor.expect(']');
  if (isIndex) {
    if (!cursor.isNext('+')) return { kind: 'map-index', mapIndex: number };
    return { kind: 'map-index-value', mapIndex: number, byteOffset: cursor.takeInteger(32, 'either') };
  }
  if (!cursor.accept('[')) return { kind: 'map-fd', mapFd: number };
  cursor.expect('0', ']');
  return { kind: 'map-value', mapFd: number, byteOffset: cursor.takeInteger(32, 'either') };
}

/** A register, a number, or a name that stands for an address: `counts ll`, `settings+0x8 ll`. */
function parseMove(cursor: TokenCursor, width: Width, destination: Register, isWide: boolean): Parsed {
  // r11 is no register, and no name for anything else.
  const isName = cursor.peek().kind === 'name' && !/^[rw][0-9]+$/.test(cursor.peek().text);
  if (isName) {
    const name = takeName(cursor);
    const value = cursor.isNext('+') || cursor.isNext('-') ? BigInt(cursor.takeInteger(32, 'signed')) : 0n;
    if (!cursor.accept('ll')) throw cursor.unexpected('ll: an address has 64 bits');
    expectWide(cursor, width, destination, name);
    return { instruction: { kind: 'load-immediate64', destination, value }, name };
  }
  if (cursor.isNumber()) {
    const ahead = cursor.peek().kind === 'number' ? 1 : 2;
    const suffix = cursor.peek(ahead);
    if (isWide || (suffix.kind === 'name' && suffix.text === 'll')) {
      const { value, span } = cursor.takeNumber();
      cursor.accept('ll');
      expectWide(cursor, width, destination, span);
      return {
        instruction: { kind: 'load-immediate64', destination, value: checked64(cursor, value, span) },
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

function checked64(cursor: TokenCursor, value: bigint, span: Span): bigint {
  if (value >= -(1n << 63n) && value < 1n << 64n) return BigInt.asIntN(64, value);
  throw cursor.source.error('ASSEMBLY_RANGE', span, `${cursor.source.quote(span)} does not fit into 64 bits`);
}

/** `ld_pseudo r1, 1, 5`: LLVM's name for the subtypes of `ld_imm64`. */
export function parsePseudo(cursor: TokenCursor): Parsed {
  cursor.expect('ld_pseudo');
  const destination = cursor.takeWideRegister();
  cursor.expect(',');
  const subtype = cursor.takeNumber();
  cursor.expect(',');
  const { value, span } = cursor.takeNumber();
  const bits = checked64(cursor, value, span);
  const low = Number(BigInt.asIntN(32, bits));
  // A negative number of 32 bits is one, and has no upper half.
  const high = value < 0n && value >= -(1n << 31n) ? 0 : Number(bits >> 32n);
  const address = pseudoAddress(Number(subtype.value), low, high);
  if (address === undefined) {
    throw cursor.source.error(
      'ASSEMBLY_SYNTAX',
      subtype.span,
      'a subtype from 1 to 6 expected, and an upper half only for 2, 3 and 6',
      '1 map fd, 2 map value, 3 kernel variable, 4 function, 5 map index, 6 map value by index',
    );
  }
  return loadAddress(destination, address);
}

function pseudoAddress(subtype: number, low: number, high: number): Address | undefined {
  switch (subtype) {
    case PSEUDO.mapValue:
      return { kind: 'map-value', mapFd: low, byteOffset: high };
    case PSEUDO.variable:
      return { kind: 'variable', typeId: low, btfFd: high };
    case PSEUDO.mapIndexValue:
      return { kind: 'map-index-value', mapIndex: low, byteOffset: high };
  }
  if (high !== 0) return undefined;
  switch (subtype) {
    case PSEUDO.mapFd:
      return { kind: 'map-fd', mapFd: low };
    case PSEUDO.function:
      return { kind: 'function', offset: low };
    case PSEUDO.mapIndex:
      return { kind: 'map-index', mapIndex: low };
    default:
      return undefined;
  }
}

function loadAddress(destination: Register, address: Address): Parsed {
  return { instruction: { kind: 'load-address', destination, address } };
}

function plainAddress(destination: Register): Parsed {
  return { instruction: { kind: 'load-immediate64', destination, value: 0n } };
}

function takeName(cursor: TokenCursor): NameInText {
  if (cursor.peek().kind !== 'name') throw cursor.unexpected('a name');
  const { text: name, start, end } = cursor.take();
  return { name, start, end };
}
