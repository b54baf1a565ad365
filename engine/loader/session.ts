import { CONFIG, COUNTER, MAP_NAME } from '../../lsm-hooks/index.js';
import { attachEach, type LoadedObject } from '../bpf/index.js';
import { MAP_TYPE, parseSectionName } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import {
  BpfMap,
  type Cgroup,
  type KernelFeatures,
  possibleCpuCount,
  ResourceStack,
  u32Key,
} from '../kernel/index.js';
import { NO_GATE } from './admission.js';
import { attachesToCgroup, attachProgram } from './attach.js';
import { encodeConfig } from './constant-value.js';
import { Gate, type GateMode } from './gate.js';
import { loadObject } from './load-object.js';
import type { ObjectPlan } from './plan.js';

export interface SessionOptions {
  /** Judge only tasks in this cgroup or below; undefined: the whole machine. */
  readonly scope: Cgroup | undefined;
  readonly gate: GateMode | undefined;
  readonly features: KernelFeatures;
  /** Bytes of the ring buffer, a power of two of at least a page. */
  readonly ringBytes: number;
}

/** One object in the kernel. Its index + 1 is the cookie in its records. */
export interface SessionObject {
  readonly plan: ObjectPlan;
  readonly loaded: LoadedObject;
}

/** Counts that the kernel side keeps, summed over CPUs. */
export interface KernelCounters {
  /** Records that did not fit into the ring buffer. */
  readonly lost: number;
  /** Runs that could not judge: for want of working memory, or because the kernel skipped the program. */
  readonly unjudged: number;
  readonly matched: number;
}

/**
 * Everything of one run that lives in the kernel: the ring buffer, the gate, the objects, the attachments. All
 * objects are loaded before the first is attached, so a refusal leaves the machine as it was.
 */
export class KernelSession implements Disposable {
  readonly events: BpfMap;
  readonly objects: SessionObject[] = [];
  readonly gate: Gate | undefined;
  readonly #resources: ResourceStack;
  readonly #links = new ResourceStack();
  readonly #scope: Cgroup | undefined;

  /** @throws VespidError GATE_UNSUPPORTED, KERNEL_* */
  constructor(options: SessionOptions) {
    using resources = new ResourceStack();
    this.events = resources.use(
      BpfMap.create({
        name: MAP_NAME.events,
        type: MAP_TYPE.ringbuf,
        keySize: 0,
        valueSize: 0,
        maxEntries: options.ringBytes,
        flags: 0,
      }),
    );
    this.gate =
      options.gate === undefined
        ? undefined
        : resources.use(Gate.raise(options.gate, this.events, options.features));
    this.#scope = options.scope;
    this.#resources = resources.move();
  }

  /** @throws VespidError CORE_UNRESOLVED, PROGRAM_REFUSED, KERNEL_* */
  load(plan: ObjectPlan): SessionObject {
    const ours = plan.rules !== undefined;
    if (!ours && this.#scope !== undefined) requireCgroupPrograms(plan);
    const cookie = this.objects.length + 1;
    const loaded = loadObject(plan.object, plan.programs, {
      constants: ours ? { [CONFIG.name]: encodeConfig({ scope: this.#scope, cookie }) } : {},
      sharedMaps: ours ? new Map([[MAP_NAME.events, this.events]]) : new Map(),
      admission: this.gate ?? NO_GATE,
      needsEveryField: ours,
      onMap: (map) => this.gate?.guard(map),
    });
    this.#resources.use(loaded);
    const object = { plan, loaded };
    this.objects.push(object);
    return object;
  }

  /** @throws VespidError OBJECT_UNSUPPORTED, KERNEL_* */
  attachAll(): void {
    for (const { loaded } of this.objects) {
      this.#links.use(
        attachEach(loaded.programs, loaded.structOps, (program) => attachProgram(program, this.#scope)),
      );
    }
  }

  /** Takes every attachment away, the gate's too; records and counters can still be read. */
  detach(): void {
    this.#links[Symbol.dispose]();
    this.gate?.lower();
  }

  counters(): KernelCounters {
    const maps = this.objects.flatMap(({ plan, loaded }) =>
      plan.rules === undefined ? [] : [loaded.maps.get(MAP_NAME.counters)],
    );
    const all = [...maps, this.gate?.counters].filter((map) => map !== undefined);
    const sum = (counter: number) => all.reduce((total, map) => total + sumOverCpus(map, counter), 0);
    return {
      lost: sum(COUNTER.lost),
      unjudged: sum(COUNTER.unjudged) + this.#runsSkippedByTheKernel(),
      matched: sum(COUNTER.matched),
    };
  }

  #runsSkippedByTheKernel(): number {
    const programs = this.objects.flatMap(({ plan, loaded }) =>
      plan.rules === undefined ? [] : loaded.programs,
    );
    return programs.reduce((total, { program }) => total + Number(program.info().recursionMisses), 0);
  }

  [Symbol.dispose](): void {
    this.detach();
    this.#resources[Symbol.dispose]();
  }
}

/** A foreign program that is not attached to a cgroup sees the whole machine, whatever the scope. */
function requireCgroupPrograms({ object, programs }: ObjectPlan): void {
  const program = programs.find(({ section }) => !attachesToCgroup(parseSectionName(section)));
  const structOps = object.structOps.find(({ isLoadedByDefault }) => isLoadedByDefault);
  const wide =
    program === undefined
      ? structOps && `struct_ops ${structOps.name}`
      : `program ${program.name} (${program.section})`;
  if (wide === undefined) return;
  throw new VespidError('OBJECT_UNSUPPORTED', `${object.name}: ${wide} cannot be limited to a cgroup`, {
    hint: 'run this bundle by itself, without --cgroup',
  });
}

function sumOverCpus(map: BpfMap, counter: number): number {
  const values = new BigUint64Array(possibleCpuCount());
  map.lookup(u32Key(counter), new Uint8Array(values.buffer));
  return Number(values.reduce((total, value) => total + value, 0n));
}
