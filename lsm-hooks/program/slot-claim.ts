import { type Label, R0, R1, R2, R3, R4, R7, R10 } from '../../engine/bytecode/index.js';
import { RECORD_OFFSET } from '../record-layout.js';
import { COUNTER, type Frame, MAP_NAME, SCRATCH_SLOTS } from './frame.js';
import { kernelField } from './kernel-types.js';
import { SCRATCH } from './scratch-layout.js';

/** Values of `busy`: who has to give the working memory back, and how. */
const BUSY = { slot: 1, overflow: 2 } as const;
/** BPF_NOEXIST of include/uapi/linux/bpf.h. */
const BPF_NOEXIST = 1;

/**
 * LSM and cgroup programs run with preemption on: a second task can enter the same program on the same CPU while
 * the first is inside. One per-CPU value would then be overwritten in the middle of a judgement, which an attacker
 * could aim for. So a run claims one of several values with an atomic exchange, and gives it back at its end. When
 * all of a CPU are taken, many threads having been preempted inside, it makes a value of its own in the hash
 * `overflow`, under its thread id.
 *
 * R7 = the value. Jumps to `exhausted` when there is no memory at all.
 */
export function emitClaim(frame: Frame, exhausted: Label): void {
  const { assembler } = frame;
  const claimed = assembler.label('claimed');
  for (let slot = 0; slot < SCRATCH_SLOTS; slot++) {
    const taken = assembler.label(`taken ${slot}`);
    emitLookup(frame, MAP_NAME.scratch, slot);
    assembler
      .jumpIfImmediate('==', R0, 0, taken)
      .moveImmediate(R1, BUSY.slot)
      .exchange(4, R0, SCRATCH.busy, R1)
      .jumpIfImmediate('==', R1, 0, claimed)
      .place(taken);
  }
  emitOverflow(frame, exhausted);
  assembler.place(claimed).move(R7, R0);
  assembler
    .moveImmediate(R1, 0)
    .store(8, R7, SCRATCH.present, R1)
    .store(8, R7, frame.layout.recordOffset + RECORD_OFFSET.matchedRules, R1)
    .store(8, R7, frame.layout.recordOffset + RECORD_OFFSET.verdict, R1);
}

/** R0 = the value of a map whose key is a constant. */
function emitLookup({ assembler }: Frame, map: string, key: number): void {
  assembler
    .storeImmediate(4, R10, -4, key)
    .move(R2, R10)
    .aluImmediate('add', R2, -4)
    .loadMap(R1, map)
    .callHelper('map_lookup_elem');
}

/** R0 = a new value of `overflow`. Its first contents are a copy of a value in use: nothing reads them. */
function emitOverflow(frame: Frame, exhausted: Label): void {
  const { assembler } = frame;
  emitLookup(frame, MAP_NAME.scratch, 0);
  assembler.jumpIfImmediate('==', R0, 0, exhausted).move(R7, R0);
  emitThreadKey(frame);
  assembler
    .loadMap(R1, MAP_NAME.overflow)
    .move(R3, R7)
    .moveImmediate(R4, BPF_NOEXIST)
    .callHelper('map_update_elem')
    .jumpIfImmediate('!=', R0, 0, exhausted)
    .move(R2, R10)
    .aluImmediate('add', R2, -4)
    .loadMap(R1, MAP_NAME.overflow)
    .callHelper('map_lookup_elem')
    .jumpIfImmediate('==', R0, 0, exhausted)
    .storeImmediate(4, R0, SCRATCH.busy, BUSY.overflow);
}

/** The thread id on the stack, R2 = its address. */
function emitThreadKey(frame: Frame): void {
  frame.readTaskField([kernelField('task_struct', 'pid')], 4);
  frame.assembler.store(4, R10, -4, R0).move(R2, R10).aluImmediate('add', R2, -4);
}

/** Gives the working memory back: an exchange, so that no write of this run comes after it. Keeps R6, R8, R9. */
export function emitRelease(frame: Frame): void {
  const { assembler } = frame;
  const released = assembler.label('released');
  assembler
    .moveImmediate(R1, 0)
    .exchange(4, R7, SCRATCH.busy, R1)
    .jumpIfImmediate('==', R1, BUSY.slot, released);
  emitThreadKey(frame);
  assembler.loadMap(R1, MAP_NAME.overflow).callHelper('map_delete_elem').place(released);
}

/** counters[index] += 1 on this CPU. */
export function emitCount(frame: Frame, counter: keyof typeof COUNTER): void {
  const { assembler } = frame;
  const skip = assembler.label(`no counter ${counter}`);
  emitLookup(frame, MAP_NAME.counters, COUNTER[counter]);
  assembler.jumpIfImmediate('==', R0, 0, skip).moveImmediate(R1, 1).atomicAdd(8, R0, 0, R1).place(skip);
}
