import {
  emitEnsureString,
  FIRST_FACT_BIT,
  type FieldReaders,
  type Frame,
  findField,
  SCRATCH,
} from '../../lsm-hooks/index.js';
import type { Condition, IpRange, Test } from '../../policies/language/index.js';
import { type Label, R0, R1, R2, R7 } from '../bytecode/index.js';
import type { Outcome } from './outcome.js';
import { emitStringTest, type StringTest } from './string-test-code.js';
import { testCost } from './test-cost.js';

/** What condition code needs besides the frame. */
export interface ConditionContext {
  readonly frame: Frame;
  readonly readers: FieldReaders;
  /** String fields that every attach point of the hook reads with the same code. */
  readonly sharedStrings: ReadonlySet<string>;
}

/** Emits jumping code for a condition, cheap tests first. Uses R0 to R5. */
export function emitCondition(context: ConditionContext, condition: Condition, outcome: Outcome): void {
  const { assembler } = context.frame;
  switch (condition.kind) {
    case 'constant':
      assembler.jump(condition.value ? outcome.ifTrue : outcome.ifFalse);
      return;
    case 'not':
      emitCondition(context, condition.term, {
        ifTrue: outcome.ifFalse,
        ifFalse: outcome.ifTrue,
        ifUnknown: outcome.ifUnknown,
      });
      return;
    case 'and':
      emitSequence(context, condition.terms, outcome.ifTrue, (next) => ({ ...outcome, ifTrue: next }));
      return;
    case 'or':
      emitSequence(context, condition.terms, outcome.ifFalse, (next) => ({ ...outcome, ifFalse: next }));
      return;
    default:
      emitTest(context, condition, outcome);
  }
}

function emitSequence(
  context: ConditionContext,
  terms: readonly Condition[],
  atEnd: Label,
  outcomeOf: (next: Label) => Outcome,
): void {
  const { assembler } = context.frame;
  const ordered = [...terms].sort((left, right) => testCost(left) - testCost(right));
  for (const term of ordered) {
    const next = assembler.label('next term');
    emitCondition(context, term, outcomeOf(next));
    assembler.place(next);
  }
  assembler.jump(atEnd);
}

function emitTest(context: ConditionContext, test: Test, outcome: Outcome): void {
  switch (test.kind) {
    case 'bool':
      readInteger(context, test.field);
      context.frame.assembler.jumpIfImmediate('!=', R0, 0, outcome.ifTrue).jump(outcome.ifFalse);
      return;
    case 'int-in':
      readInteger(context, test.field);
      for (const value of test.values) emitCompare(context, '==', value, outcome.ifTrue);
      context.frame.assembler.jump(outcome.ifFalse);
      return;
    case 'int-order':
      readInteger(context, test.field);
      emitCompare(context, test.operator, test.value, outcome.ifTrue);
      context.frame.assembler.jump(outcome.ifFalse);
      return;
    case 'ip-in':
      emitIpTest(context, test.field, test.ranges, outcome);
      return;
    default:
      emitString(context, test, outcome);
  }
}

/** R0 = the field's value, 64 bits unsigned. */
function readInteger(context: ConditionContext, field: string): void {
  const read = context.readers.integers[field];
  if (read === undefined) throw new TypeError(`${context.frame.pointName} cannot read ${field}`);
  read(context.frame);
}

/** Jumps when R0 compares; constants past 31 bits go through R1, since immediates are sign-extended. */
function emitCompare(
  { frame: { assembler } }: ConditionContext,
  operator: '==' | '<' | '<=' | '>' | '>=',
  value: bigint,
  target: Label,
): void {
  if (value <= 0x7fff_ffffn) assembler.jumpIfImmediate(operator, R0, Number(value), target);
  else assembler.loadImmediate64(R1, value).jumpIf(operator, R0, R1, target);
}

const ADDRESS_FAMILY = { ipv4: 2, ipv6: 10 } as const;

/** The working memory holds the address as in a record's `ip` slot: u32 family, u32 0, 16 bytes. */
function emitIpTest(
  context: ConditionContext,
  field: string,
  ranges: readonly IpRange[],
  outcome: Outcome,
): void {
  const { assembler } = context.frame;
  const at = context.readers.memory?.[field];
  if (at === undefined) throw new TypeError(`${context.frame.pointName} cannot read ${field}`);
  assembler.load(4, R2, R7, at);
  for (const range of ranges) {
    const miss = assembler.label('outside the range');
    assembler.jumpIfImmediate('!=', R2, ADDRESS_FAMILY[range.family], miss);
    for (let word = 0; word * 32 < range.prefixLength; word++) {
      const bits = Math.min(32, range.prefixLength - word * 32);
      assembler.load(4, R1, R7, at + 8 + word * 4);
      if (bits < 32) assembler.alu32Immediate('and', R1, littleEndianWord(prefixMask(bits)));
      assembler.jump32IfImmediate(
        '!=',
        R1,
        littleEndianWord(range.bytes.slice(word * 4, word * 4 + 4)),
        miss,
      );
    }
    assembler.jump(outcome.ifTrue).place(miss);
  }
  assembler.jump(outcome.ifFalse);
}

/** The first `bits` of 4 bytes set. */
function prefixMask(bits: number): number[] {
  return [0, 8, 16, 24].map((skip) => (0xff << (8 - Math.max(0, Math.min(8, bits - skip)))) & 0xff);
}

/** Four bytes in memory order as the number that a little-endian load gives. */
function littleEndianWord(bytes: readonly number[]): number {
  return bytes.reduce((word, byte, index) => word | (byte << (index * 8)), 0);
}

function emitString(context: ConditionContext, test: StringTest, outcome: Outcome): void {
  const { frame, readers, sharedStrings } = context;
  const gather = readers.strings[test.field];
  if (gather === undefined) throw new TypeError(`${frame.pointName} cannot read ${test.field}`);
  emitNamePrefilter(context, test, outcome);
  const place = frame.string(test.field);
  emitEnsureString(frame, place, gather, sharedStrings.has(test.field));
  // What the caller can change while we look proves nothing either way, so it does not fail closed.
  const vouched = place.field.callerControlled !== true;
  emitStringTest(frame, place, test, vouched ? outcome : { ...outcome, ifUnknown: outcome.ifFalse });
}

/**
 * A path can only equal a constant, or end in one that names a whole last component, when its last component is
 * that of the constant: a compare on the dentry, before any path is built. Where the dentry does not tell the last
 * component (a file that is mounted on another), the path is built.
 */
function emitNamePrefilter(context: ConditionContext, test: StringTest, outcome: Outcome): void {
  if (!test.field.endsWith('.path')) return;
  const names = lastComponents(test);
  const field = test.field.replace(/\.path$/, '.name');
  if (names === undefined || findField(context.frame.layout.hook, field) === undefined) return;
  const { assembler } = context.frame;
  const worthBuilding = assembler.label('the last component fits');
  emitEndsOtherwise(context, test.field, field, worthBuilding);
  emitString(context, { kind: 'string-in', field, values: names }, { ...outcome, ifTrue: worthBuilding });
  assembler.place(worthBuilding);
}

/** Jumps when the path may end otherwise than in the name. Looked at once in a run, however many rules ask. */
function emitEndsOtherwise(
  { frame, readers }: ConditionContext,
  pathField: string,
  nameField: string,
  target: Label,
): void {
  const read = readers.pathEndsOtherwise?.[pathField];
  if (read === undefined) return;
  const { assembler } = frame;
  const isKnown = 1 << (FIRST_FACT_BIT + frame.string(pathField).index);
  const endsOtherwise = 1 << (FIRST_FACT_BIT + frame.string(nameField).index);
  const known = assembler.label('known how the path ends');
  const usual = assembler.label('the path ends in the name');
  assembler.load(8, R1, R7, SCRATCH.present).jumpIfImmediate('&', R1, isKnown, known);
  read(frame);
  assembler
    .load(8, R1, R7, SCRATCH.present)
    .aluImmediate('or', R1, isKnown)
    .jumpIfImmediate('==', R0, 0, usual)
    .aluImmediate('or', R1, endsOtherwise)
    .place(usual)
    .store(8, R7, SCRATCH.present, R1)
    .place(known)
    .jumpIfImmediate('&', R1, endsOtherwise, target);
}

/** NAME_MAX of linux/limits.h: no component of a path is longer. */
const NAME_MAX_BYTES = 255;

/** The last components that a path passing the test can have, or undefined when they are not known. */
function lastComponents(test: StringTest): string[] | undefined {
  const constants =
    test.kind === 'string-in' ? test.values : test.kind === 'string-suffix' ? [test.value] : [];
  if (constants.length === 0 || constants.some((constant) => !constant.includes('/'))) return undefined;
  const names = constants.map((constant) => constant.slice(constant.lastIndexOf('/') + 1));
  if (names.includes('')) return undefined;
  return [...new Set(names)].filter((name) => new TextEncoder().encode(name).byteLength <= NAME_MAX_BYTES);
}
