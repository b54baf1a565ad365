import { closestName } from '../../errors/index.js';
import { helperId } from '../instruction/helper-function.js';
import { HELPER } from '../instruction/helper-functions.generated.js';
import { JUMP, type JumpCondition } from '../isa.js';
import { parseOperand } from './parse-assignment.js';
import type { NameInText, Parsed } from './statement.js';
import type { TokenCursor } from './token-cursor.js';

const CONDITIONS: ReadonlyMap<string, JumpCondition> = new Map(
  // The keys of JUMP are exactly the conditions.
  Object.keys(JUMP).map((condition) => [condition, condition as JumpCondition]),
);

/** `goto +5`, `gotol pc-3`, `may_goto out` */
export function parseGoto(cursor: TokenCursor): Parsed {
  const { text } = cursor.take();
  const isLong = text === 'gotol';
  const { offset, ...name } = parseTarget(cursor, isLong ? 32 : 16);
  if (text === 'may_goto') return { instruction: { kind: 'may-goto', offset }, ...name };
  return { instruction: { kind: 'jump', isLong, offset }, ...name };
}

/** `if r1 s> 0x7 goto out` */
export function parseConditional(cursor: TokenCursor): Parsed {
  cursor.expect('if');
  const { width, register: left } = cursor.takeRegister();
  const condition = cursor.peekWord(CONDITIONS);
  if (condition === undefined) {
    throw cursor.unexpected(`a comparison: ${[...CONDITIONS.keys()].join(' ')}`);
  }
  cursor.take();
  const right = parseOperand(cursor, width);
  cursor.expect('goto');
  const { offset, ...name } = parseTarget(cursor, 16);
  return { instruction: { kind: 'jump-if', width, condition, left, right, offset }, ...name };
}

/** `call 1`, `call bpf_loop`, `call bpf_loop#181`, `call pc+5`, `call -0x2`, `call inner`, `call kernel-function#7:1` */
export function parseCall(cursor: TokenCursor): Parsed {
  cursor.expect('call');
  if (cursor.isNext('pc')) {
    cursor.take();
    return callLocal(cursor);
  }
  if (cursor.isNext('+') || cursor.isNext('-')) return callLocal(cursor);
  if (cursor.isNumber()) {
    return { instruction: { kind: 'call-helper', helperId: cursor.takeInteger(32, 'signed') } };
  }
  if (cursor.peek().kind !== 'name') throw cursor.unexpected('a helper, a function, or pc and an offset');
  const name = cursor.takeName();
  if (!cursor.accept('#')) {
    // A name of the text comes before a helper's: the text cannot know all names that kernels will have.
    return { instruction: { kind: 'call-local', offset: -1 }, name };
  }
  if (name.name === 'kernel-function') {
    const typeId = cursor.takeInteger(32, 'signed');
    const fdArrayIndex = cursor.accept(':') ? cursor.takeInteger(16, 'signed') : 0;
    return { instruction: { kind: 'call-kfunc', typeId, fdArrayIndex } };
  }
  return callNumbered(cursor, name);
}

function callLocal(cursor: TokenCursor): Parsed {
  if (!cursor.isNext('+') && !cursor.isNext('-')) throw cursor.unexpected('+ or - and an offset in slots');
  return { instruction: { kind: 'call-local', offset: cursor.takeInteger(32, 'signed') } };
}

/** `bpf_loop#181`, and `unknown#999` for a number that has no name here. */
function callNumbered(cursor: TokenCursor, name: NameInText): Parsed {
  const number = cursor.takeInteger(32, 'signed');
  const known = helperId(name.name);
  if (known !== number && name.name !== 'unknown') {
    throw cursor.source.error(
      'ASSEMBLY_SYMBOL_UNKNOWN',
      name,
      known === undefined ? `no helper ${name.name}` : `${name.name} is helper ${known}, not ${number}`,
      known === undefined ? helperHint(name.name) : undefined,
    );
  }
  return { instruction: { kind: 'call-helper', helperId: number } };
}

function helperHint(name: string): string {
  const near = closestName(name.replace(/^bpf_/, ''), Object.keys(HELPER));
  return near === undefined ? 'a helper can be called by its number' : `did you mean bpf_${near}?`;
}

/** Slots from the next instruction, or a label. */
function parseTarget(
  cursor: TokenCursor,
  bits: 16 | 32,
): { readonly offset: number; readonly name?: NameInText } {
  const isRelative = cursor.isNext('pc', '+') || cursor.isNext('pc', '-');
  if (isRelative) cursor.take();
  if (cursor.isNumber()) return { offset: cursor.takeInteger(bits, 'signed') };
  if (cursor.peek().kind !== 'name') throw cursor.unexpected('a label, or + or - and an offset in slots');
  return { offset: 0, name: cursor.takeName() };
}
