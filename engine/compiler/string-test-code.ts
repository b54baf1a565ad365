import { createHash } from 'node:crypto';
import {
  emitStringBase,
  type Frame,
  indexMask,
  SCRATCH,
  STRING_STATE,
  STRING_STATUS,
  type StringPlace,
} from '../../lsm-hooks/index.js';
import type { Test } from '../../policies/language/index.js';
import { type Assembler, type Label, R0, R1, R2, R3, R4, R5, R7, R8, R10 } from '../bytecode/index.js';
import type { Outcome } from './outcome.js';

export type StringTest = Extract<
  Test,
  { kind: 'string-in' | 'string-prefix' | 'string-suffix' | 'string-contains' }
>;

const { unavailable, truncated } = STRING_STATUS;

/**
 * Emits a test of a gathered string. What a truncated string still proves is used: a path keeps its end, every
 * other string its start, and a string that was cut is longer than all but the longest constants.
 */
export function emitStringTest(frame: Frame, place: StringPlace, test: StringTest, outcome: Outcome): void {
  const { assembler } = frame;
  assembler
    .load(4, R5, R7, place.stateOffset + STRING_STATE.status)
    .jumpIfImmediate('&', R5, unavailable, outcome.ifUnknown)
    .load(4, R4, R7, place.stateOffset + STRING_STATE.length);
  switch (test.kind) {
    case 'string-in':
      emitOneOfTruncated(frame, place, test.values.map(encode), outcome);
      emitOneOf(frame, place, test.values.map(encode), outcome);
      return;
    case 'string-prefix':
      if (place.anchored === 'end') assembler.jumpIfImmediate('&', R5, truncated, outcome.ifUnknown);
      emitPrefix(frame, place, encode(test.value), outcome);
      return;
    case 'string-suffix':
      if (place.anchored === 'start') assembler.jumpIfImmediate('&', R5, truncated, outcome.ifUnknown);
      emitSuffix(frame, place, encode(test.value), outcome);
      return;
    case 'string-contains':
      emitContains(frame, place, encode(test.value), outcome);
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/**
 * A string that was cut had at least this many bytes: a path that was cut for its depth has two for each step.
 * Only against a constant of that length does its length prove nothing.
 */
function shortestCut(place: StringPlace): number {
  return place.anchored === 'end' ? place.capacity / 2 : place.capacity - 1;
}

function emitOneOfTruncated(
  frame: Frame,
  place: StringPlace,
  values: readonly Uint8Array[],
  outcome: Outcome,
): void {
  const isDecided = values.every((value) => value.byteLength < shortestCut(place));
  frame.assembler.jumpIfImmediate('&', R5, truncated, isDecided ? outcome.ifFalse : outcome.ifUnknown);
}

/** R4 = length. One branch per distinct length, then the bytes. */
function emitOneOf(frame: Frame, place: StringPlace, values: readonly Uint8Array[], outcome: Outcome): void {
  const { assembler } = frame;
  const byLength = new Map<number, Uint8Array[]>();
  for (const value of values) {
    byLength.set(value.byteLength, [...(byLength.get(value.byteLength) ?? []), value]);
  }
  emitStringBase(frame, place, R2);
  for (const [byteLength, group] of [...byLength].sort(([left], [right]) => left - right)) {
    const nextLength = assembler.label('next length');
    assembler.jumpIfImmediate('!=', R4, byteLength, nextLength);
    for (const value of group) {
      const miss = assembler.label('miss');
      emitBytesEqual(assembler, R2, place.bufferOffset, value, miss);
      assembler.jump(outcome.ifTrue).place(miss);
    }
    assembler.jump(outcome.ifFalse).place(nextLength);
  }
  assembler.jump(outcome.ifFalse);
}

/** R4 = length. A string shorter than the constant fails, unless it is shorter only because it was cut. */
function emitLengthAtLeast(frame: Frame, place: StringPlace, byteLength: number, outcome: Outcome): void {
  const { assembler } = frame;
  if (byteLength < shortestCut(place)) {
    assembler.jumpIfImmediate('<', R4, byteLength, outcome.ifFalse);
    return;
  }
  const longEnough = assembler.label('long enough');
  assembler
    .jumpIfImmediate('>=', R4, byteLength, longEnough)
    .jumpIfImmediate('&', R5, truncated, outcome.ifUnknown)
    .jump(outcome.ifFalse)
    .place(longEnough);
}

function emitPrefix(frame: Frame, place: StringPlace, value: Uint8Array, outcome: Outcome): void {
  const { assembler } = frame;
  emitLengthAtLeast(frame, place, value.byteLength, outcome);
  emitStringBase(frame, place, R2);
  emitBytesEqual(assembler, R2, place.bufferOffset, value, outcome.ifFalse);
  assembler.jump(outcome.ifTrue);
}

/** The end of a path is the end of its buffer; the end of another string depends on its length, R4. */
function emitSuffix(frame: Frame, place: StringPlace, value: Uint8Array, outcome: Outcome): void {
  const { assembler } = frame;
  const { byteLength } = value;
  emitLengthAtLeast(frame, place, byteLength, outcome);
  assembler.jumpIfImmediate('>', R4, place.capacity, outcome.ifFalse).move(R2, R7);
  if (place.anchored === 'start') assembler.alu('add', R2, R4);
  const end = place.bufferOffset + (place.anchored === 'start' ? 0 : place.capacity);
  emitBytesEqual(assembler, R2, end - byteLength, value, outcome.ifFalse);
  assembler.jump(outcome.ifTrue);
}

/** Looks at each place in turn, in a loop whose callback has the constant in it. */
function emitContains(frame: Frame, place: StringPlace, value: Uint8Array, outcome: Outcome): void {
  const { assembler } = frame;
  const { finished: found } = SCRATCH.walk;
  const name = `find_${place.field.name.replaceAll('.', '_')}_${nameOfConstant(value)}`;
  const target = frame.subprograms.require(name, (step) => assembleFindStep(step, place, value));
  const notFound = assembler.label('not found');
  assembler
    .jumpIfImmediate('<', R4, value.byteLength, notFound)
    .storeImmediate(4, R7, found, 0)
    .store(8, R10, -8, R7)
    .move(R1, R4)
    .aluImmediate('sub', R1, value.byteLength - 1)
    .loadFunction(R2, target)
    .move(R3, R10)
    .aluImmediate('add', R3, -8)
    .moveImmediate(R4, 0)
    .callHelper('loop')
    .load(4, R1, R7, found)
    .jumpIfImmediate('!=', R1, 0, outcome.ifTrue)
    .place(notFound)
    .load(4, R5, R7, place.stateOffset + STRING_STATE.status)
    .jumpIfImmediate('&', R5, truncated, outcome.ifUnknown)
    .jump(outcome.ifFalse);
}

/** Different for different constants; a function name has at most 511 bytes (KSYM_NAME_LEN). */
function nameOfConstant(value: Uint8Array): string {
  const whole = Buffer.from(value).toString('hex');
  return whole.length <= 64 ? whole : createHash('sha256').update(value).digest('hex');
}

/** step(index, &working memory): 1 ends the loop. */
function assembleFindStep(step: Assembler, place: StringPlace, value: Uint8Array): void {
  const miss = step.label('miss');
  step
    .move(R8, R1)
    .load(8, R7, R2, 0)
    .load(4, R2, R7, place.stateOffset + STRING_STATE.start);
  step.alu('add', R2, R8).aluImmediate('and', R2, indexMask(place)).alu('add', R2, R7);
  emitBytesEqual(step, R2, place.bufferOffset, value, miss);
  step
    .storeImmediate(4, R7, SCRATCH.walk.finished, 1)
    .moveImmediate(R0, 1)
    .exit()
    .place(miss)
    .moveImmediate(R0, 0)
    .exit();
}

/** Jumps to `miss` unless the bytes at register + offset are those of `value`. Uses R1 and R3. */
function emitBytesEqual(
  assembler: Assembler,
  base: typeof R2,
  offset: number,
  value: Uint8Array,
  miss: Label,
): void {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  let at = 0;
  for (; value.byteLength - at >= 8; at += 8) {
    assembler
      .load(8, R1, base, offset + at)
      .loadImmediate64(R3, view.getBigUint64(at, true))
      .jumpIf('!=', R1, R3, miss);
  }
  if (value.byteLength - at >= 4) {
    assembler.load(4, R1, base, offset + at).jump32IfImmediate('!=', R1, view.getInt32(at, true), miss);
    at += 4;
  }
  if (value.byteLength - at >= 2) {
    assembler.load(2, R1, base, offset + at).jumpIfImmediate('!=', R1, view.getUint16(at, true), miss);
    at += 2;
  }
  if (value.byteLength > at) {
    assembler.load(1, R1, base, offset + at).jumpIfImmediate('!=', R1, view.getUint8(at), miss);
  }
}
