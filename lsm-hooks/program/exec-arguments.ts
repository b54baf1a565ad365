import {
  type Assembler,
  type Label,
  R0,
  R1,
  R2,
  R3,
  R4,
  R6,
  R7,
  R8,
  R9,
  R10,
} from '../../engine/bytecode/index.js';
import { STRING_STATUS } from '../record-layout.js';
import { type Frame, probeRead } from './frame.js';
import { kernelField } from './kernel-types.js';
import { SCRATCH, STRING_STATE, type StringPlace } from './scratch-layout.js';

/**
 * The arguments of an exec, joined by spaces. Before the exec they are an array of pointers in the caller's memory,
 * which its other threads can change while we look; after it, one block of strings in the new process's memory.
 */
const MAX_ARGUMENTS = 20;
const SPACE = ' '.charCodeAt(0);
const { argument: NEXT, argumentsEnd: END, position: LENGTH } = SCRATCH.walk;
/** The system call's arguments are 4-byte pointers: an i386 call. */
const TS_COMPAT = 2;
/** x86-64 execveat: its argv is the third argument, execve's the second. */
const EXECVEAT = 322;

/** Inside execve(2): NEXT walks the caller's argv. */
export function gatherArgumentsOfCall(frame: Frame, place: StringPlace): void {
  const { assembler } = frame;
  const unavailable = assembler.label('unavailable');
  const execve = assembler.label('execve');
  assembler
    .callHelper('get_current_task_btf')
    .loadField(4, R1, R0, kernelField('task_struct', 'thread_info', 'status'))
    .aluImmediate('and', R1, TS_COMPAT)
    .jumpIfImmediate('!=', R1, 0, unavailable)
    .move(R1, R0)
    .callHelper('task_pt_regs')
    .move(R6, R0);
  readRegister(assembler, 'orig_ax');
  // x32 calls (__X32_SYSCALL_BIT) have 4-byte pointers, too.
  assembler.move(R9, R0).jumpIfImmediate('&', R9, 0x4000_0000, unavailable);
  readRegister(assembler, 'si');
  assembler.store(8, R7, NEXT, R0).jumpIfImmediate('!=', R9, EXECVEAT, execve);
  readRegister(assembler, 'dx');
  assembler.store(8, R7, NEXT, R0).place(execve);
  emitJoin(frame, place, {
    name: 'exec_args_of_call_step',
    next: (step, finish, stop) => {
      // A full buffer may have cut the argument before: then the end of the array is not the end of the text.
      step.load(4, R1, R7, LENGTH).jumpIfImmediate('>=', R1, place.capacity, stop).load(8, R3, R7, NEXT);
      probeRead(step, 8, 'user');
      step.jumpIfImmediate('==', R0, 0, finish).move(R9, R0);
    },
    advance: (step) => void step.load(8, R1, R7, NEXT).aluImmediate('add', R1, 8).store(8, R7, NEXT, R1),
  });
  emitFinish(assembler, place, unavailable);
}

/** R0 = a register of the system call, `R6` = its pt_regs. Copied: on some kernels the pointer is not typed. */
function readRegister(assembler: Assembler, register: string): void {
  assembler.move(R3, R6).addFieldOffset(R3, kernelField('pt_regs', register));
  probeRead(assembler, 8);
}

/** After exec: NEXT walks from mm->arg_start to mm->arg_end. */
export function gatherArgumentsAfterExec(frame: Frame, place: StringPlace): void {
  const { assembler } = frame;
  const unavailable = assembler.label('unavailable');
  assembler
    .callHelper('get_current_task_btf')
    .loadField(8, R0, R0, kernelField('task_struct', 'mm'))
    .jumpIfImmediate('==', R0, 0, unavailable)
    .loadField(8, R1, R0, kernelField('mm_struct', 'arg_start'))
    .store(8, R7, NEXT, R1)
    .loadField(8, R1, R0, kernelField('mm_struct', 'arg_end'))
    .store(8, R7, END, R1);
  emitJoin(frame, place, {
    name: 'exec_args_after_exec_step',
    next: (step, finish) => void step.load(8, R9, R7, NEXT).load(8, R1, R7, END).jumpIf('>=', R9, R1, finish),
    advance: (step) => void step.alu('add', R9, R0).store(8, R7, NEXT, R9),
  });
  emitFinish(assembler, place, unavailable);
}

/** Where the strings of a join come from. */
interface ArgumentSource {
  /** Name of the loop's callback. */
  readonly name: string;
  /** R9 = the user address of the next string, or a jump: to `finish` after the last, to `stop` when cut. */
  readonly next: (step: Assembler, finish: Label, stop: Label) => void;
  /** Steps over the string at R9, R0 bytes long with its NUL. Keeps R0 and R6. */
  readonly advance: (step: Assembler) => void;
}

function emitJoin(frame: Frame, place: StringPlace, source: ArgumentSource): void {
  const target = frame.subprograms.require(source.name, (step) => assembleJoinStep(step, place, source));
  frame.assembler
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.start, 0)
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.status, STRING_STATUS.truncated)
    .storeImmediate(4, R7, LENGTH, 0)
    .store(8, R10, -16, R7)
    .moveImmediate(R1, MAX_ARGUMENTS + 1)
    .loadFunction(R2, target)
    .move(R3, R10)
    .aluImmediate('add', R3, -16)
    .moveImmediate(R4, 0)
    .callHelper('loop');
}

/** step(index, &working memory): appends one argument and a space. The status is cleared at the proper end. */
function assembleJoinStep(step: Assembler, place: StringPlace, source: ArgumentSource): void {
  const finish = step.label('finish');
  const unreadable = step.label('unreadable');
  const stop = step.label('stop');
  const { capacity } = place;
  step.move(R8, R1).load(8, R7, R2, 0);
  source.next(step, finish, stop);
  step.jumpIfImmediate('>=', R8, MAX_ARGUMENTS, stop);
  step
    .load(4, R6, R7, LENGTH)
    .jumpIfImmediate('>=', R6, capacity, stop)
    .move(R1, R7)
    .alu('add', R1, R6)
    .aluImmediate('add', R1, place.bufferOffset)
    .moveImmediate(R2, capacity)
    .alu('sub', R2, R6)
    .move(R3, R9)
    .callHelper('probe_read_user_str')
    .jumpIfImmediate('s<=', R0, 0, unreadable);
  source.advance(step);
  emitAppended(step, place);
  step
    .place(unreadable)
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.status, STRING_STATUS.unavailable)
    .jump(stop)
    .place(finish)
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.status, 0)
    .place(stop)
    .moveImmediate(R0, 1)
    .exit();
}

/** R0 = bytes just copied, NUL included; R6 = where; the NUL becomes a space. */
function emitAppended(step: Assembler, place: StringPlace): void {
  const last = place.capacity - 1;
  const ok = step.label('ok');
  step
    .alu('add', R6, R0)
    .store(4, R7, LENGTH, R6)
    .aluImmediate('sub', R6, 1)
    .jumpIfImmediate('<=', R6, last, ok)
    .moveImmediate(R6, last)
    .place(ok)
    .move(R1, R7)
    .alu('add', R1, R6)
    .storeImmediate(1, R1, place.bufferOffset, SPACE)
    .moveImmediate(R0, 0)
    .exit();
}

/** The length without the last space; at `unavailable` the string is empty and marked so. */
function emitFinish(assembler: Assembler, place: StringPlace, unavailable: Label): void {
  const done = assembler.label('done');
  const empty = assembler.label('empty');
  const fits = assembler.label('fits');
  assembler
    .load(4, R1, R7, LENGTH)
    .jumpIfImmediate('==', R1, 0, empty)
    .aluImmediate('sub', R1, 1)
    .place(empty)
    .jumpIfImmediate('<=', R1, place.capacity, fits)
    .moveImmediate(R1, place.capacity)
    .place(fits)
    .store(4, R7, place.stateOffset + STRING_STATE.length, R1)
    .jump(done)
    .place(unavailable)
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.start, 0)
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.length, 0)
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.status, STRING_STATUS.unavailable)
    .place(done);
}
