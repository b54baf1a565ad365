import type { Address, Width } from '../instruction/instruction.js';
import { PSEUDO, type Register } from '../isa.js';
import type { Parsed } from './statement.js';
import type { TokenCursor } from './token-cursor.js';

/** The kernel's names of addresses: `map[id:5]`, `map[name:counts][0]+8`, `subprog[+5]`, `var[jiffies]` */
export function parseAddress(cursor: TokenCursor, width: Width, destination: Register): Parsed | undefined {
  const isAddress = ['map', 'subprog', 'var'].some((word) => cursor.isNext(word, '['));
  if (!isAddress) return undefined;
  const start = cursor.take();
  if (width === 32)
    throw cursor.source.error('ASSEMBLY_SYNTAX', start, `r${destination} expected: an address has 64 bits`);
  cursor.expect('[');
  if (start.text === 'subprog') {
    if (cursor.peek().kind === 'name') {
      const name = cursor.takeName();
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
    const name = cursor.takeName();
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
  const name = cursor.takeName();
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

/** `ld_pseudo r1, 1, 5`: LLVM's name for the subtypes of `ld_imm64`. */
export function parsePseudo(cursor: TokenCursor): Parsed {
  cursor.expect('ld_pseudo');
  const destination = cursor.takeWideRegister();
  cursor.expect(',');
  const subtype = cursor.takeNumber();
  cursor.expect(',');
  const { value, isNegative } = cursor.takeInteger64();
  const low = Number(BigInt.asIntN(32, value));
  // A negative number of 32 bits is one, and has no upper half.
  const high = isNegative && value === BigInt(low) ? 0 : Number(value >> 32n);
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
