import { programTable } from '../../engine/agent/program-table.js';
import { buildEvent, decodeRecord, type EventContext, type VespidEvent } from '../../engine/events/index.js';
import { bootTimeNs, Cgroup, ResourceStack, RingBuffer } from '../../engine/kernel/index.js';
import { KernelSession } from '../../engine/loader/index.js';
import { schemaErrors } from '../events/event-schema.js';
import { hostFeatures, planPolicies } from './plan-policies.js';

const HOST = { id: '0123456789abcdef0123456789abcdef', name: 'test-host', bootId: 'boot' };
const BUNDLE_DIGEST = `sha256:${'0'.repeat(64)}`;

/** Policies in this machine's kernel, for one cgroup only. */
export class ScopedSession implements Disposable {
  readonly kernel: KernelSession;
  readonly #resources: ResourceStack;
  readonly #ring: RingBuffer;
  readonly #context: EventContext;
  #records: Uint8Array[] = [];

  constructor(
    policies: string,
    cgroupPath: string,
    { degrade = false, ringBytes = 1024 * 1024 }: { degrade?: boolean; ringBytes?: number } = {},
  ) {
    const plans = planPolicies(policies, { degrade });
    using resources = new ResourceStack();
    const scope = resources.use(Cgroup.open(cgroupPath));
    this.kernel = resources.use(
      new KernelSession({ scope, gate: undefined, features: hostFeatures(), ringBytes }),
    );
    for (const plan of plans) this.kernel.load(plan);
    this.#context = {
      programs: programTable(
        plans.map(({ rules }) => ({ bundleDigest: BUNDLE_DIGEST, rules })),
        undefined,
      ),
      host: HOST,
      clock: { bootToUnixNs: BigInt(Date.now()) * 1_000_000n - bootTimeNs() },
    };
    this.#ring = resources.use(
      RingBuffer.copying(this.kernel.events, (record) => this.#records.push(record), { poll: false }),
    );
    this.kernel.attachAll();
    this.#resources = resources.move();
  }

  /** The events since the last call, each checked against the JSON Schema. */
  events(): VespidEvent[] {
    this.#ring.drain();
    const records = this.#records.splice(0);
    const events = records.map((record) => buildEvent(decodeRecord(record), this.#context));
    const errors = events.flatMap((event) => schemaErrors(JSON.parse(JSON.stringify(event))));
    if (errors.length > 0) throw new Error(`events break the JSON Schema: ${errors.join('; ')}`);
    return events;
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}
