import { setTimeout as delay } from 'node:timers/promises';
import type { VerifiedBundle } from '../../signing/index.js';
import { type ErrorCode, VespidError } from '../errors/index.js';
import { FanOut, type HostIdentity, type Sink, type SinkStats } from '../events/index.js';
import { bootTimeNs, type Cgroup, type KernelFeatures, ResourceStack, RingBuffer } from '../kernel/index.js';
import {
  type GateMode,
  type KernelCounters,
  KernelSession,
  type ObjectPlan,
  planObject,
} from '../loader/index.js';
import { EventPipeline, type PipelineCounts } from './event-pipeline.js';
import { programTable } from './program-table.js';

export interface AgentOptions {
  readonly bundles: readonly Pick<VerifiedBundle, 'digest' | 'objects'>[];
  readonly features: KernelFeatures;
  readonly sinks: readonly Sink[];
  readonly host: HostIdentity;
  /** Judge only tasks in this cgroup or below; undefined: the whole machine. */
  readonly scope: Cgroup | undefined;
  readonly gate: GateMode | undefined;
  /** Accept the weaker effect where the kernel cannot deliver the one asked for. */
  readonly degrade: boolean;
  /**
   * Between the last load and the first attach: the kernel has taken every program, and none has an effect yet. What
   * it throws ends the start, and the machine stays as it was.
   */
  readonly onLoaded?: () => void;
  readonly onNotice: (notice: AgentNotice) => void;
}

export interface AgentNotice {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly code?: ErrorCode;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a run saw, and what was lost on the way; every loss is counted where it happened. */
export interface AgentSummary {
  readonly seconds: number;
  readonly pipeline: PipelineCounts;
  readonly kernel: KernelCounters;
  readonly sinks: readonly (SinkStats & { readonly name: string })[];
}

/** Some sixteen thousand events: seconds of a busy node while the event loop is held up. */
const RING_BYTES = 4 * 1024 * 1024;
/** How long a run that had begun before the detach may take to write its record. */
const LAST_RECORDS_MS = 20;
/** How often losses in the kernel are looked for. */
const LOSS_CHECK_MS = 5_000;

/** The long-running part: bundles in the kernel, events on their way to the sinks. */
export class Agent {
  readonly #session: KernelSession;
  readonly #ring: RingBuffer;
  readonly #pipeline: EventPipeline;
  readonly #sink: FanOut;
  readonly #startedMs = Date.now();
  readonly #lossTimer: NodeJS.Timeout;
  #reportedLosses = 0;

  private constructor(
    private readonly options: AgentOptions,
    /** What was loaded, in order. */
    readonly plans: readonly ObjectPlan[],
  ) {
    const { bundles, scope, gate, features } = options;
    this.#sink = new FanOut(options.sinks);
    using resources = new ResourceStack();
    this.#session = resources.use(new KernelSession({ scope, gate, features, ringBytes: RING_BYTES }));
    for (const plan of plans) this.#session.load(plan);
    const digests = bundles.flatMap((bundle) => bundle.objects.map(() => bundle.digest));
    const tabled = plans.map(({ rules }, index) => ({ bundleDigest: digests[index] ?? '', rules }));
    const bootToUnixNs = BigInt(Date.now()) * 1_000_000n - bootTimeNs();
    this.#pipeline = new EventPipeline(
      { programs: programTable(tabled, gate), host: options.host, clock: { bootToUnixNs } },
      this.#sink,
      (error) => options.onNotice(noticeOf(error, 'error')),
    );
    this.#ring = resources.use(
      new RingBuffer(this.#session.events, (memory, byteOffset, byteLength) =>
        this.#pipeline.accept(memory.subarray(byteOffset, byteOffset + byteLength)),
      ),
    );
    options.onLoaded?.();
    this.#session.attachAll();
    resources.move();
    this.#lossTimer = setInterval(() => this.#reportLosses(), LOSS_CHECK_MS).unref();
  }

  /**
   * Plans everything, then loads everything, then attaches everything: a refusal leaves the machine as it was.
   *
   * @throws VespidError EFFECT_NOT_DELIVERABLE, HOOK_NOT_ATTACHABLE, GATE_UNSUPPORTED, PROGRAM_REFUSED, KERNEL_*
   */
  static start(options: AgentOptions): Agent {
    const files = options.bundles.flatMap((bundle) => bundle.objects);
    if (files.length === 0) throw new VespidError('USAGE', 'there is no bundle to run');
    const plans = files.map((file) => planObject(file, options.features, { degrade: options.degrade }));
    return new Agent(options, plans);
  }

  /**
   * Detaches first, so that nothing more happens; then everything that did happen goes to the sinks.
   *
   * @param flushTimeoutMs how long to wait for the sinks; what is left then is counted as dropped
   */
  async stop(flushTimeoutMs: number): Promise<AgentSummary> {
    clearInterval(this.#lossTimer);
    this.#session.detach();
    this.#ring.drain();
    // A program that was running on another CPU at that moment writes its record yet.
    await delay(LAST_RECORDS_MS);
    this.#ring.drain();
    this.#pipeline.flush();
    const kernel = this.#session.counters();
    this.#ring[Symbol.dispose]();
    this.#session[Symbol.dispose]();
    await this.#sink.flush(flushTimeoutMs);
    await this.#sink.close();
    return {
      seconds: (Date.now() - this.#startedMs) / 1000,
      pipeline: this.#pipeline.counts(),
      kernel,
      sinks: this.options.sinks.map((sink) => ({ name: sink.name, ...sink.stats() })),
    };
  }

  #reportLosses(): void {
    const { lost, unjudged } = this.#session.counters();
    const losses = lost + unjudged;
    if (losses <= this.#reportedLosses) return;
    this.#reportedLosses = losses;
    this.options.onNotice({
      level: 'warn',
      message: `${lost} records did not fit into the ring buffer, ${unjudged} runs could not judge`,
      details: { lost, unjudged },
    });
  }
}

/** An error that does not end the run. */
export function noticeOf(error: VespidError, level: 'warn' | 'error'): AgentNotice {
  const { code, message, hint, details } = error;
  return {
    level,
    message,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  };
}
