import { type Label, R0, R1, R2, R7, R10 } from '../../engine/bytecode/index.js';
import { RECORD_OFFSET } from '../record-layout.js';
import { COUNTER, type Frame, MAP_NAME, SCRATCH_SLOTS } from './frame.js';
import { SCRATCH } from './scratch-layout.js';

/**
 * LSM and cgroup programs run with preemption on: a second task can enter the same program on the same CPU while
 * the first is inside. One per-CPU value would then be overwritten in the middle of a judgement, which an attacker
 * could aim for. So a run claims one of several values with an atomic exchange, and gives it back at its end.
 *
 * R7 = the value. Jumps to `exhausted` when every value of this CPU is taken.
 */
export function emitClaim(frame: Frame, exhausted: Label): void {
  const { assembler } = frame;
  const claimed = assembler.label('claimed');
  for (let slot = 0; slot < SCRATCH_SLOTS; slot++) {
    const taken = assembler.label(`taken ${slot}`);
    assembler
      .storeImmediate(4, R10, -4, slot)
      .move(R2, R10)
      .aluImmediate('add', R2, -4)
      .loadMap(R1, MAP_NAME.scratch)
      .callHelper('map_lookup_elem')
      .jumpIfImmediate('==', R0, 0, taken)
      .moveImmediate(R1, 1)
      .exchange(4, R0, SCRATCH.busy, R1)
      .jumpIfImmediate('==', R1, 0, claimed)
      .place(taken);
  }
  assembler.jump(exhausted).place(claimed).move(R7, R0);
  assembler
    .moveImmediate(R1, 0)
    .store(8, R7, SCRATCH.present, R1)
    .store(8, R7, frame.layout.recordOffset + RECORD_OFFSET.matchedRules, R1)
    .store(8, R7, frame.layout.recordOffset + RECORD_OFFSET.verdict, R1);
}

/** Gives the working memory back: an exchange, so that no write of this run comes after it. Keeps R6, R8, R9. */
export function emitRelease(frame: Frame): void {
  frame.assembler.moveImmediate(R1, 0).exchange(4, R7, SCRATCH.busy, R1);
}

/** counters[index] += 1 on this CPU. */
export function emitCount(frame: Frame, counter: keyof typeof COUNTER): void {
  const { assembler } = frame;
  const skip = assembler.label(`no counter ${counter}`);
  assembler
    .storeImmediate(4, R10, -4, COUNTER[counter])
    .move(R2, R10)
    .aluImmediate('add', R2, -4)
    .loadMap(R1, MAP_NAME.counters)
    .callHelper('map_lookup_elem')
    .jumpIfImmediate('==', R0, 0, skip)
    .moveImmediate(R1, 1)
    .atomicAdd(8, R0, 0, R1)
    .place(skip);
}
