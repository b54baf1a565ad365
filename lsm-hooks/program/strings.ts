import { type Assembler, R0, R1, R2, type R3, R7, R8 } from '../../engine/bytecode/index.js';
import { STRING_STATUS } from '../record-layout.js';
import { enterSubprogram, Frame } from './frame.js';
import { indexMask, SCRATCH, STRING_STATE, type StringPlace } from './scratch-layout.js';

/** Emits the code that fills a string's buffer and state; R7 and R8 are set. */
export type StringGatherer = (frame: Frame, place: StringPlace) => void;

/** Gathers a string unless this run has done so already. Keeps R6 to R9. */
export function emitEnsureString(
  frame: Frame,
  place: StringPlace,
  gather: StringGatherer,
  shared: boolean,
): void {
  const have = frame.assembler.label(`have ${place.field.name}`);
  const suffix = place.field.name.replaceAll('.', '_');
  const name = shared ? `gather_${suffix}` : `gather_${suffix}_${frame.pointName}`;
  const target = frame.subprograms.require(name, (assembler) =>
    assembleGather(frame, assembler, place, gather),
  );
  frame.assembler
    .load(8, R1, R7, SCRATCH.present)
    .jumpIfImmediate('&', R1, 1 << place.index, have)
    .move(R1, R7)
    .move(R2, R8)
    .callFunction(target)
    .place(have);
}

function assembleGather(
  caller: Frame,
  assembler: Assembler,
  place: StringPlace,
  gather: StringGatherer,
): void {
  const frame = new Frame(assembler, caller.layout, caller.subprograms, caller.pointName, caller.access);
  enterSubprogram(frame);
  gather(frame, place);
  assembler
    .load(8, R1, R7, SCRATCH.present)
    .aluImmediate('or', R1, 1 << place.index)
    .store(8, R7, SCRATCH.present, R1)
    .moveImmediate(R0, 0)
    .exit();
}

/** Copies the NUL-terminated kernel string at R3. A null pointer or a fault makes it unavailable. */
export function emitCopyKernelString(frame: Frame, place: StringPlace): void {
  const { assembler } = frame;
  const readable = assembler.label('readable');
  const whole = assembler.label('whole');
  const done = assembler.label('done');
  const { stateOffset, bufferOffset, capacity } = place;
  assembler
    .move(R1, R7)
    .aluImmediate('add', R1, bufferOffset)
    .moveImmediate(R2, capacity)
    .callHelper('probe_read_kernel_str')
    .storeImmediate(4, R7, stateOffset + STRING_STATE.start, 0)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.status, 0)
    .jumpIfImmediate('s>', R0, 0, readable)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.length, 0)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.status, STRING_STATUS.unavailable)
    .jump(done)
    .place(readable)
    .jumpIfImmediate('<', R0, capacity, whole)
    .storeImmediate(
      4,
      R7,
      stateOffset + STRING_STATE.status,
      fullIsTruncated(place) ? STRING_STATUS.truncated : 0,
    )
    .place(whole)
    .aluImmediate('sub', R0, 1)
    .store(4, R7, stateOffset + STRING_STATE.length, R0)
    .place(done);
}

/** The size of the kernel's own buffers for these: TASK_COMM_LEN, BPF_OBJ_NAME_LEN. */
const KERNEL_NAME_BYTES = 16;

/** A buffer that is full may hide a longer string, except where the kernel's own buffer has that size. */
function fullIsTruncated(place: StringPlace): boolean {
  return place.capacity > KERNEL_NAME_BYTES;
}

/** The string is empty, and that is the truth: a kernel thread has no executable. */
export function emitEmptyString(frame: Frame, place: StringPlace): void {
  frame.assembler
    .storeImmediate(
      4,
      R7,
      place.stateOffset + STRING_STATE.start,
      place.anchored === 'end' ? place.capacity - 1 : 0,
    )
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.length, 0)
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.status, 0);
}

/** The string cannot be known here. */
export function emitUnavailable({ assembler }: Frame, { stateOffset }: StringPlace): void {
  assembler
    .storeImmediate(4, R7, stateOffset + STRING_STATE.start, 0)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.length, 0)
    .storeImmediate(4, R7, stateOffset + STRING_STATE.status, STRING_STATUS.unavailable);
}

/** `register` = the address of the string's first byte, less the place's buffer offset: load at that offset. */
export function emitStringBase(frame: Frame, place: StringPlace, register: typeof R2 | typeof R3): void {
  const { assembler } = frame;
  if (place.anchored === 'start') {
    assembler.move(register, R7);
    return;
  }
  assembler
    .load(4, register, R7, place.stateOffset + STRING_STATE.start)
    .aluImmediate('and', register, indexMask(place))
    .alu('add', register, R7);
}
