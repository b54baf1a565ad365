import {
  type AssembledFunction,
  Assembler,
  type ConstantDefinition,
  type FieldPath,
  MAP_TYPE,
  type MapDefinition,
  R0,
  R1,
  R2,
  R3,
  R6,
  R7,
  R8,
  R10,
} from '../../engine/bytecode/index.js';
import type { ScratchLayout, StringPlace } from './scratch-layout.js';

/** Read-only global that the loader fills in before it loads a program. */
export const CONFIG: ConstantDefinition = {
  name: 'vespid_config',
  members: [
    /** Only tasks in this cgroup or below are judged; 0 = every task. */
    { name: 'scope_cgroup_id', byteSize: 8, value: 0n },
    /** Depth of that cgroup below the root. */
    { name: 'scope_level', byteSize: 4, value: 0n },
    /** Comes back in every record: which loaded object it is from. */
    { name: 'program_cookie', byteSize: 4, value: 0n },
  ],
};
export const CONFIG_OFFSET = { scopeCgroupId: 0, scopeLevel: 8, programCookie: 12 } as const;

export const MAP_NAME = {
  events: 'events',
  scratch: 'scratch',
  overflow: 'overflow',
  counters: 'counters',
} as const;

/** Indices of the per-CPU `counters` map, u64 each. */
export const COUNTER = {
  /** Records that did not fit into the ring buffer. */
  lost: 0,
  /** Runs that found no free working memory and so judged nothing; a denying program refuses these. */
  unjudged: 1,
  /** Runs in which a rule matched. */
  matched: 2,
} as const;
const COUNTER_COUNT = 3;

const EVENTS_BYTES = 1024 * 1024;
/** Values per CPU: how many runs may be interrupted by one another on one CPU (see `slot-claim.ts`). */
export const SCRATCH_SLOTS = 4;
/** How many runs more may be interrupted on the whole machine; memory is taken when they are. */
const OVERFLOW_VALUES = 1024;
/** include/uapi/linux/bpf.h */
const BPF_F_NO_PREALLOC = 1;

/** The maps of every object: shared names let the loader join them. */
export function hookMaps(scratchBytes: number): MapDefinition[] {
  return [
    {
      name: MAP_NAME.events,
      type: MAP_TYPE.ringbuf,
      keySize: 0,
      valueSize: 0,
      maxEntries: EVENTS_BYTES,
      flags: 0,
    },
    {
      name: MAP_NAME.scratch,
      type: MAP_TYPE.percpuArray,
      keySize: 4,
      valueSize: scratchBytes,
      maxEntries: SCRATCH_SLOTS,
      flags: 0,
    },
    {
      name: MAP_NAME.overflow,
      type: MAP_TYPE.hash,
      keySize: 4,
      valueSize: scratchBytes,
      maxEntries: OVERFLOW_VALUES,
      flags: BPF_F_NO_PREALLOC,
    },
    {
      name: MAP_NAME.counters,
      type: MAP_TYPE.percpuArray,
      keySize: 4,
      valueSize: 8,
      maxEntries: COUNTER_COUNT,
      flags: 0,
    },
  ];
}

/** How the hook's own pointer (R8) may be followed: by loads that the verifier checks, or by copying. */
export type Access = 'direct' | 'probe';

/** The subprograms of an object, by name: each is assembled once, when it is first asked for. */
export class Subprograms {
  readonly #byName = new Map<string, AssembledFunction | undefined>();

  /** Gives the name back, for `callFunction` and `loadFunction`. */
  require(name: string, assemble: (assembler: Assembler) => void): string {
    if (!this.#byName.has(name)) {
      this.#byName.set(name, undefined);
      const assembler = new Assembler(name);
      assemble(assembler);
      this.#byName.set(name, assembler.finish());
    }
    return name;
  }

  /** In order of name, so that the object does not depend on the order of requests. */
  all(): AssembledFunction[] {
    return [...this.#byName.values()]
      .filter((assembled) => assembled !== undefined)
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }
}

/**
 * One function under construction, with the conventions that all of them share:
 * R6 = context, R7 = working memory, R8 = the hook's own pointer; R9 is free. The first 16 bytes of stack are
 * for single reads.
 */
export class Frame {
  constructor(
    readonly assembler: Assembler,
    readonly layout: ScratchLayout,
    readonly subprograms: Subprograms,
    /** Distinguishes subprograms of attach points that read the same field in different ways. */
    readonly pointName: string,
    readonly access: Access,
  ) {}

  string(name: string): StringPlace {
    const place = this.layout.strings.get(name);
    if (place === undefined) throw new TypeError(`${this.layout.hook.name} has no string field ${name}`);
    return place;
  }

  /** R0 = the value at the end of a chain of kernel pointers that starts at R8. */
  readHookField(steps: readonly FieldPath[], bytes: 1 | 2 | 4 | 8): void {
    this.assembler.move(R0, R8);
    this.follow(steps, bytes, this.access);
  }

  /** R0 = the value at the end of a chain that starts at the current task. */
  readTaskField(steps: readonly FieldPath[], bytes: 1 | 2 | 4 | 8): void {
    this.assembler.callHelper('get_current_task_btf');
    this.follow(steps, bytes, 'direct');
  }

  /** R0 = the value at the end of a chain that starts at the pointer in R0. A null on the way gives 0. */
  follow(steps: readonly FieldPath[], bytes: 1 | 2 | 4 | 8, access: Access): void {
    const { assembler } = this;
    const end = assembler.label('end of the chain');
    for (const [index, step] of steps.entries()) {
      const isLast = index === steps.length - 1;
      const size = isLast ? bytes : 8;
      if (access === 'direct') {
        assembler.loadField(size, R0, R0, step);
        if (!isLast) assembler.jumpIfImmediate('==', R0, 0, end);
      } else {
        assembler.move(R3, R0).addFieldOffset(R3, step);
        probeRead(assembler, size);
      }
    }
    assembler.place(end);
  }
}

/** R0 = the value of `bytes` bytes at kernel address R3, or 0 when it cannot be read. Uses 8 bytes of stack. */
export function probeRead(
  assembler: Assembler,
  bytes: 1 | 2 | 4 | 8,
  helper: 'kernel' | 'user' = 'kernel',
): void {
  assembler
    .move(R1, R10)
    .aluImmediate('add', R1, -8)
    .moveImmediate(R2, bytes)
    .callHelper(helper === 'kernel' ? 'probe_read_kernel' : 'probe_read_user')
    .load(bytes, R0, R10, -8);
}

/** Starts a subprogram that is called as `f(working memory, hook pointer)`. */
export function enterSubprogram(frame: Frame): void {
  frame.assembler.move(R7, R1).move(R8, R2);
}

/** Starts a program: the context into R6. */
export function enterProgram(frame: Frame): void {
  frame.assembler.move(R6, R1);
}
