import { programTable } from '../../engine/agent/program-table.js';
import { compilePolicies } from '../../engine/compiler/index.js';
import { buildEvent, decodeRecord, type EventContext, type VespidEvent } from '../../engine/events/index.js';
import {
  bootTimeNs,
  Cgroup,
  type KernelFeatures,
  probeKernel,
  ResourceStack,
  RingBuffer,
} from '../../engine/kernel/index.js';
import { KernelSession, type ObjectPlan, planObject } from '../../engine/loader/index.js';
import { parsePolicies } from '../../policies/language/index.js';
import { schemaErrors } from '../events/event-schema.js';

let features: KernelFeatures | undefined;

/** This machine's kernel; probed once. */
export function hostFeatures(): KernelFeatures {
  features ??= probeKernel();
  return features;
}

/** The text of a policy with one rule. */
export function onePolicy(hook: string, when: string, effect: string, name = 'sample'): string {
  return `apiVersion: vespid.dev/v1
kind: Policy
metadata: { name: ${name} }
spec:
  severity: high
  attack: [T1003.008]
  rules:
    - { hook: ${hook}, effect: ${effect}, when: ${JSON.stringify(when)} }
`;
}

/** Policy text compiled, read again and planned for this kernel, as an agent does with a bundle's objects. */
export function planPolicies(policies: string, options: { readonly degrade: boolean }): ObjectPlan[] {
  return compilePolicies(parsePolicies(policies, 'test.yaml')).map(({ name, bytes }) =>
    planObject({ name, bytes }, hostFeatures(), options),
  );
}

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
      new RingBuffer(this.kernel.events, (record) => this.#records.push(record.slice()), { poll: false }),
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
