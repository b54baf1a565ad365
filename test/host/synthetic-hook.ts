import type { LoadedProgram } from '../../engine/bpf/index.js';
import {
  MAP_TYPE,
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R8,
  readObject,
  writeObject,
} from '../../engine/bytecode/index.js';
import { longestConstants } from '../../engine/compiler/longest-constants.js';
import { assembleRuleProgram } from '../../engine/compiler/rule-program.js';
import { type DecodedRecord, decodeRecord } from '../../engine/events/index.js';
import { BpfMap, ResourceStack, RingBuffer } from '../../engine/kernel/index.js';
import { encodeConfig } from '../../engine/loader/constant-value.js';
import { loadObject, NO_GATE } from '../../engine/loader/index.js';
import {
  type AttachCandidate,
  type AttachPoint,
  CONFIG,
  type FieldDefinition,
  type FieldReaders,
  type Frame,
  type HookDefinition,
  hookMaps,
  KERNEL_TYPES,
  MAP_NAME,
  SCRATCH,
  STRING_STATE,
  STRING_STATUS,
  type StringPlace,
  Subprograms,
  scratchLayout,
} from '../../lsm-hooks/index.js';
import { emitCopyKernelString, emitEmptyString } from '../../lsm-hooks/program/strings.js';
import type { Condition } from '../../policies/language/index.js';
import { parseIpAddress } from '../../policies/language/index.js';

/** An event as the test gives it: values by field name, and the texts that the kernel cannot read. */
export interface SyntheticEvent {
  readonly values: Readonly<Record<string, unknown>>;
  readonly unavailable: readonly string[];
}

interface ContextField {
  readonly field: FieldDefinition;
  readonly byteOffset: number;
}

/** Room behind a text for those that are longer than what the kernel reads of them. */
const OVERLONG_BYTES = 512;
const RING_BYTES = 1024 * 1024;

/**
 * A hook of the catalogue whose programs take the fields from their context instead of from the kernel, as a
 * program of type syscall that BPF_PROG_TEST_RUN runs. Everything behind the readers is the real code.
 *
 * Context: 8 bytes for an integer, 24 for an address as in a record, and for a text u32 length, u32 status and
 * the bytes: of a path at the end of its room, of another text at the start and with a NUL.
 */
export class SyntheticHook {
  readonly #fields: readonly ContextField[];
  readonly #byteLength: number;

  constructor(readonly definition: HookDefinition) {
    let byteOffset = 0;
    this.#fields = definition.fields.map((field) => {
      const placed = { field, byteOffset };
      byteOffset += contextBytes(field);
      return placed;
    });
    this.#byteLength = byteOffset;
  }

  /** Loads one program with these rules. */
  load(conditions: readonly Condition[]): SyntheticProgram {
    const layout = scratchLayout(this.definition, longestConstants(conditions));
    const subprograms = new Subprograms();
    const point = this.#attachPoint();
    const program = assembleRuleProgram(
      { ...CANDIDATE, points: [point] },
      point,
      conditions.map((condition) => ({ effect: 'audit', condition })),
      layout,
      subprograms,
      new Set(),
    );
    const bytes = writeObject({
      license: 'Dual MIT/GPL',
      programs: [{ section: point.section, function: program }],
      subprograms: subprograms.all(),
      maps: hookMaps(layout.byteLength),
      constants: [CONFIG],
      kernelTypes: KERNEL_TYPES,
      metadata: new Uint8Array(0),
    });
    return new SyntheticProgram(bytes, (event) => this.#encode(event));
  }

  #attachPoint(): AttachPoint {
    const integers: Record<string, (frame: Frame) => void> = {};
    const strings: Record<string, (frame: Frame, place: StringPlace) => void> = {};
    const memory: Record<string, number> = {};
    for (const { field, byteOffset } of this.#fields) {
      if (field.type.kind === 'string') {
        strings[field.name] = (frame, place) => gatherFromContext(frame, place, byteOffset);
      } else if (field.type.kind === 'ip') {
        memory[field.name] = SCRATCH.hookData;
      } else {
        integers[field.name] = ({ assembler }) => void assembler.load(8, R0, R6, byteOffset);
      }
    }
    const readers: FieldReaders = { integers, strings, memory };
    const address = this.#fields.find(({ field }) => field.type.kind === 'ip');
    return {
      section: 'syscall',
      functionName: 'synthetic',
      access: 'direct',
      readers,
      returns: { allow: 0, deny: 0, retry: 0 },
      scopedByAttachment: true,
      setup: ({ assembler }) => {
        assembler.move(R8, R6);
        for (let offset = 0; address !== undefined && offset < 24; offset += 8) {
          assembler.load(8, R1, R6, address.byteOffset + offset).store(8, R7, SCRATCH.hookData + offset, R1);
        }
      },
    };
  }

  #encode({ values, unavailable }: SyntheticEvent): Uint8Array {
    const context = Buffer.alloc(this.#byteLength);
    for (const { field, byteOffset } of this.#fields) {
      const value = values[field.name];
      switch (field.type.kind) {
        case 'string':
          writeText(context, byteOffset, field, String(value), unavailable.includes(field.name));
          break;
        case 'ip': {
          const address = parseIpAddress(String(value));
          context.writeUInt32LE(address?.family === 'ipv4' ? 2 : 10, byteOffset);
          context.set(address?.bytes ?? [], byteOffset + 8);
          break;
        }
        case 'enum':
          context.writeBigUInt64LE(BigInt(field.type.values[String(value)] ?? 0), byteOffset);
          break;
        default:
          // Integers are bigint, booleans boolean: BigInt takes both.
          context.writeBigUInt64LE(BigInt(value as bigint | boolean), byteOffset);
      }
    }
    return context;
  }
}

const CANDIDATE: Omit<AttachCandidate, 'points'> = {
  id: 'tracepoint',
  requires: 'tracepoint-btf',
  effects: ['audit'],
  weaker: {},
  guarantee: '',
};

export class SyntheticProgram implements Disposable {
  readonly #resources: ResourceStack;
  readonly #program: LoadedProgram;
  readonly #ring: RingBuffer;
  #records: DecodedRecord[] = [];

  constructor(
    objectBytes: Uint8Array,
    private readonly encode: (event: SyntheticEvent) => Uint8Array,
  ) {
    using resources = new ResourceStack();
    const ringDefinition = { name: MAP_NAME.events, type: MAP_TYPE.ringbuf, keySize: 0, valueSize: 0 };
    const events = resources.use(BpfMap.create({ ...ringDefinition, maxEntries: RING_BYTES, flags: 0 }));
    const object = readObject(objectBytes, 'synthetic.bpf.o');
    const loaded = resources.use(
      loadObject(object, object.programs, {
        constants: { [CONFIG.name]: encodeConfig({ scope: undefined, cookie: 1 }) },
        sharedMaps: new Map([[MAP_NAME.events, events]]),
        admission: NO_GATE,
        needsEveryField: true,
      }),
    );
    const [program] = loaded.programs;
    if (program === undefined) throw new Error('the object has no program');
    this.#program = program;
    this.#ring = resources.use(
      RingBuffer.copying(events, (record) => this.#records.push(decodeRecord(record)), { poll: false }),
    );
    this.#resources = resources.move();
  }

  /** Runs the program for one event; undefined when no rule matched. */
  judge(event: SyntheticEvent): DecodedRecord | undefined {
    this.#program.program.testRun({ context: this.encode(event) });
    this.#ring.drain();
    const [record, ...others] = this.#records.splice(0);
    if (others.length > 0) throw new Error('one run gave several records');
    return record;
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}

const isPath = (field: FieldDefinition) => field.type.kind === 'string' && field.type.maxBytes === 4096;

function contextBytes({ type }: FieldDefinition): number {
  if (type.kind === 'ip') return 24;
  return type.kind === 'string' ? 8 + type.maxBytes + OVERLONG_BYTES : 8;
}

function writeText(
  context: Buffer,
  byteOffset: number,
  field: FieldDefinition,
  value: string,
  isUnavailable: boolean,
): void {
  const text = Buffer.from(value);
  if (!isPath(field)) {
    context.writeUInt32LE(isUnavailable ? STRING_STATUS.unavailable : 0, byteOffset + 4);
    text.copy(context, byteOffset + 8);
    return;
  }
  // The walk keeps as many whole last components as there is room for.
  const room = 4096;
  const kept = text.length <= room ? text : text.subarray(text.indexOf('/', text.length - room));
  const status = kept.length < text.length ? STRING_STATUS.truncated : 0;
  context.writeUInt32LE(kept.length, byteOffset);
  context.writeUInt32LE(isUnavailable ? STRING_STATUS.unavailable : status, byteOffset + 4);
  kept.copy(context, byteOffset + 8 + room - kept.length);
}

function gatherFromContext(frame: Frame, place: StringPlace, byteOffset: number): void {
  const { assembler } = frame;
  const readable = assembler.label('readable');
  const done = assembler.label('done');
  assembler.load(4, R1, R8, byteOffset + 4).jumpIfImmediate('!=', R1, STRING_STATUS.unavailable, readable);
  emitEmptyString(frame, place);
  assembler
    .storeImmediate(4, R7, place.stateOffset + STRING_STATE.status, STRING_STATUS.unavailable)
    .jump(done)
    .place(readable);
  if (isPath(place.field)) gatherPath(frame, place, byteOffset);
  else {
    assembler.move(R3, R8).aluImmediate('add', R3, byteOffset + 8);
    emitCopyKernelString(frame, place);
  }
  assembler.place(done);
}

function gatherPath(frame: Frame, place: StringPlace, byteOffset: number): void {
  const { assembler } = frame;
  const notEmpty = assembler.label('not empty');
  const copied = assembler.label('copied');
  assembler.load(4, R2, R8, byteOffset).jumpIfImmediate('!=', R2, 0, notEmpty);
  emitEmptyString(frame, place);
  assembler
    .jump(copied)
    .place(notEmpty)
    .store(4, R7, place.stateOffset + STRING_STATE.length, R2)
    .moveImmediate(R1, place.capacity)
    .alu('sub', R1, R2)
    .store(4, R7, place.stateOffset + STRING_STATE.start, R1)
    .load(4, R1, R8, byteOffset + 4)
    .store(4, R7, place.stateOffset + STRING_STATE.status, R1)
    .move(R1, R7)
    .aluImmediate('add', R1, place.bufferOffset)
    .moveImmediate(R2, place.capacity)
    .move(R3, R8)
    .aluImmediate('add', R3, byteOffset + 8)
    .callHelper('probe_read_kernel')
    .place(copied);
}
