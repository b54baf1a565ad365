import { R0, R1, R2, R3, R4, R7, R9 } from '../../engine/bytecode/index.js';
import {
  RECORD_HEADER_BYTES,
  RECORD_OFFSET,
  RECORD_VERSION,
  type RecordSlot,
  STRING_STATUS,
} from '../record-layout.js';
import { CONFIG, CONFIG_OFFSET, type Frame, MAP_NAME } from './frame.js';
import type { FieldReaders } from './readers.js';
import { SCRATCH, STRING_STATE, type StringPlace } from './scratch-layout.js';
import { emitCount } from './slot-claim.js';
import { emitEnsureString, emitStringBase } from './strings.js';

/**
 * Writes the record of this run (layout: `record-layout.ts`) and puts it into the ring buffer; a record that does
 * not fit is counted. `matchedRules`, `verdict` and `flags` of the header are already in place.
 */
export function emitRecord(frame: Frame, readers: FieldReaders, sharedStrings: ReadonlySet<string>): void {
  const { assembler, layout } = frame;
  emitHeader(frame);
  for (const slot of layout.record.slots) {
    if (slot.field.type.kind !== 'string') emitFixedSlot(frame, slot, readers);
  }
  let most = layout.record.fixedBytes;
  assembler.storeImmediate(4, R7, SCRATCH.cursor, most);
  for (const slot of layout.record.slots) {
    if (slot.field.type.kind !== 'string') continue;
    emitStringSlot(frame, slot, readers, sharedStrings, most);
    most += slot.field.type.maxBytes;
  }
  emitOutput(frame);
}

function emitHeader(frame: Frame): void {
  const { assembler, layout } = frame;
  const at = layout.recordOffset;
  assembler
    .storeImmediate(2, R7, at + RECORD_OFFSET.version, RECORD_VERSION)
    .storeImmediate(2, R7, at + RECORD_OFFSET.hookId, layout.hook.id)
    .callHelper('ktime_get_boot_ns')
    .store(8, R7, at + RECORD_OFFSET.timeNs, R0)
    .loadConstant(R1, CONFIG.name, CONFIG_OFFSET.programCookie)
    .load(4, R1, R1, 0)
    .store(4, R7, at + RECORD_OFFSET.programCookie, R1);
}

function emitFixedSlot(frame: Frame, slot: RecordSlot, readers: FieldReaders): void {
  const { assembler, layout } = frame;
  const at = layout.recordOffset + slot.byteOffset;
  const source = readers.memory?.[slot.field.name];
  if (source !== undefined) {
    for (let offset = 0; offset < slot.byteLength; offset += 8) {
      assembler.load(8, R1, R7, source + offset).store(8, R7, at + offset, R1);
    }
    return;
  }
  const read = readers.integers[slot.field.name];
  if (read === undefined) assembler.moveImmediate(R0, 0);
  else read(frame);
  assembler.store(8, R7, at, R0);
}

/** @param most the largest value that the cursor can have here */
function emitStringSlot(
  frame: Frame,
  slot: RecordSlot,
  readers: FieldReaders,
  sharedStrings: ReadonlySet<string>,
  most: number,
): void {
  const { assembler, layout } = frame;
  const at = layout.recordOffset + slot.byteOffset;
  const place = frame.string(slot.field.name);
  const gather = readers.strings[slot.field.name];
  if (gather === undefined) {
    assembler.storeImmediate(4, R7, at, 0).storeImmediate(4, R7, at + 4, STRING_STATUS.unavailable);
    return;
  }
  emitEnsureString(frame, place, gather, sharedStrings.has(slot.field.name));
  emitAppend(frame, place, at, most);
}

function emitAppend(frame: Frame, place: StringPlace, at: number, most: number): void {
  const { assembler, layout } = frame;
  const skip = assembler.label(`skip ${place.field.name}`);
  emitStringBase(frame, place, R3);
  assembler
    .aluImmediate('add', R3, place.bufferOffset)
    .load(4, R2, R7, place.stateOffset + STRING_STATE.status)
    .store(4, R7, at + 4, R2)
    .load(4, R2, R7, place.stateOffset + STRING_STATE.length)
    .load(4, R9, R7, SCRATCH.cursor)
    .storeImmediate(4, R7, at, 0)
    .jumpIfImmediate('>', R2, place.capacity, skip)
    .jumpIfImmediate('>', R9, most, skip)
    .store(4, R7, at, R2)
    .move(R1, R9)
    .alu('add', R9, R2)
    .store(4, R7, SCRATCH.cursor, R9)
    .alu('add', R1, R7)
    .aluImmediate('add', R1, layout.recordOffset)
    .callHelper('probe_read_kernel')
    .place(skip);
}

function emitOutput(frame: Frame): void {
  const { assembler, layout } = frame;
  const sent = assembler.label('sent');
  const { maxBytes } = layout.record;
  assembler
    .load(4, R3, R7, SCRATCH.cursor)
    .store(4, R7, layout.recordOffset + RECORD_OFFSET.byteLength, R3)
    .jumpIfImmediate('>', R3, maxBytes, sent)
    .jumpIfImmediate('<', R3, RECORD_HEADER_BYTES, sent)
    .loadMap(R1, MAP_NAME.events)
    .move(R2, R7)
    .aluImmediate('add', R2, layout.recordOffset)
    .moveImmediate(R4, 0)
    .callHelper('ringbuf_output')
    .jumpIfImmediate('==', R0, 0, sent);
  emitCount(frame, 'lost');
  assembler.place(sent);
}
