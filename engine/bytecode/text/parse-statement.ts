import { closestName } from '../../errors/index.js';
import { encodeInstruction } from '../instruction/encode-instructions.js';
import { LOAD_IMM64_OPCODE } from '../instruction-slots.js';
import { parsePseudo } from './parse-address.js';
import { parseAssignment, parseOperand } from './parse-assignment.js';
import { parseLocked, parseStoreRelease } from './parse-atomic.js';
import { parseCall, parseConditional, parseGoto } from './parse-jump.js';
import { parseMemory } from './parse-memory.js';
import type { Parsed, Statement } from './statement.js';
import type { TokenCursor } from './token-cursor.js';
import type { Token } from './tokenize-line.js';

/** Words that an instruction begins with, if not with a register or a place in memory. */
const PARSERS: ReadonlyMap<string, (cursor: TokenCursor) => Parsed> = new Map([
  ['if', parseConditional],
  ['goto', parseGoto],
  ['gotol', parseGoto],
  ['may_goto', parseGoto],
  ['call', parseCall],
  ['callx', parseCallRegister],
  ['exit', parseExit],
  ['lock', parseLocked],
  ['store_release', parseStoreRelease],
  ['ld_pseudo', parsePseudo],
]);

/**
 * One instruction in either form, the rest of the line included.
 * @throws VespidError ASSEMBLY_SYNTAX, ASSEMBLY_RANGE, ASSEMBLY_SYMBOL_UNKNOWN
 */
export function parseStatement(cursor: TokenCursor): Statement {
  const opcode = parseOpcode(cursor);
  const { start } = cursor.peek();
  const parsed = parseInstruction(cursor, opcode?.value === LOAD_IMM64_OPCODE);
  const span = { start, end: cursor.peek().start };
  cursor.expectEnd();
  checkOpcode(cursor, parsed, opcode);
  return { instruction: parsed.instruction, name: parsed.name, span };
}

function parseInstruction(cursor: TokenCursor, isWide: boolean): Parsed {
  if (cursor.peekRegister() !== undefined) return parseAssignment(cursor, isWide);
  if (cursor.isNext('*')) return parseStore(cursor);
  const parser = PARSERS.get(cursor.peek().text);
  if (parser !== undefined) return parser(cursor);
  const near = closestName(cursor.peek().text, PARSERS.keys());
  throw cursor.unexpected(
    'an instruction',
    near === undefined
      ? 'such as r1 = 5, r1 = *(u32 *)(r2 + 4), if r1 == 0 goto out, call bpf_loop, exit'
      : `did you mean ${near}?`,
  );
}

/** `*(u32 *)(r10 - 4) = r1` */
function parseStore(cursor: TokenCursor): Parsed {
  cursor.expect('*');
  const type = cursor.peek(1);
  const { bytes, isSigned, base, offset } = parseMemory(cursor);
  if (isSigned) throw cursor.source.error('ASSEMBLY_SYNTAX', type, `a store has no sign: u${bytes * 8}`);
  cursor.expect('=');
  const register = cursor.peekRegister();
  // Up to 32 bits, half a register is what is stored; both forms are in use.
  const width = bytes < 8 ? (register?.width ?? 64) : 64;
  return { instruction: { kind: 'store', bytes, base, offset, source: parseOperand(cursor, width) } };
}

function parseCallRegister(cursor: TokenCursor): Parsed {
  cursor.expect('callx');
  return { instruction: { kind: 'call-register', register: cursor.takeWideRegister() } };
}

function parseExit(cursor: TokenCursor): Parsed {
  cursor.expect('exit');
  return { instruction: { kind: 'exit' } };
}

/** The `(b7)` of the kernel's form. */
function parseOpcode(cursor: TokenCursor): { readonly value: number; readonly token: Token } | undefined {
  if (cursor.peek().kind !== 'opcode') return undefined;
  const token = cursor.take();
  return { value: Number.parseInt(token.text.slice(1, -1), 16), token };
}

function checkOpcode(
  cursor: TokenCursor,
  { instruction, name }: Parsed,
  opcode: { readonly value: number; readonly token: Token } | undefined,
): void {
  if (opcode === undefined) return;
  const encoded = encodeInstruction(instruction, name?.name ?? 'instruction')[0]?.opcode;
  if (encoded === opcode.value) return;
  throw cursor.source.error(
    'ASSEMBLY_SYNTAX',
    opcode.token,
    `the instruction has the opcode (${encoded?.toString(16).padStart(2, '0')}), not ${opcode.token.text}`,
    'the text after the parentheses was changed; leave them out',
  );
}
