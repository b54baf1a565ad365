import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { compilePolicies } from '../../../engine/compiler/index.js';
import {
  buildEvent,
  decodeRecord,
  type EventContext,
  type ProgramEntry,
  readHostIdentity,
  type VespidEvent,
} from '../../../engine/events/index.js';
import {
  type Cgroup,
  type KernelFeatures,
  probeKernel,
  ResourceStack,
  RingBuffer,
} from '../../../engine/kernel/index.js';
import {
  GATE_COOKIE,
  type GateMode,
  KernelSession,
  type ObjectPlan,
  planObject,
} from '../../../engine/loader/index.js';
import { parsePolicies } from '../../../policies/language/index.js';
import { GUEST_ROOT } from '../protocol.js';

/** One rule of a policy that a test writes. */
export interface Rule {
  readonly hook: 'file.open' | 'process.exec' | 'net.connect';
  readonly when: string;
  readonly effect: 'audit' | 'deny' | 'kill';
}

export interface PolicyOptions {
  readonly severity: string;
  readonly attack: readonly string[];
}

/** A policy's text: YAML takes JSON. */
export function policyText(
  name: string,
  { severity, attack }: PolicyOptions,
  rules: readonly Rule[],
): string {
  return JSON.stringify({
    apiVersion: 'vespid.dev/v1',
    kind: 'Policy',
    metadata: { name },
    spec: { severity, attack, rules },
  });
}

export interface EnforcementOptions {
  readonly scope?: Cgroup;
  readonly gate?: GateMode;
  /** Read events as they come, for tests that wait; otherwise only `take` reads them. */
  readonly poll?: boolean;
  /** Room for events, a power of two of at least a page. */
  readonly ringBytes?: number;
}

/** The bundle digest that events of tests carry. */
export const TEST_BUNDLE = 'sha256:test';
const RING_BYTES = 4 * 1024 * 1024;

let probed: KernelFeatures | undefined;

/** What the guest's kernel can do, probed once. */
export function guestFeatures(): KernelFeatures {
  probed ??= probeKernel();
  return probed;
}

/**
 * Policies in force on the whole guest: compiled, planned, loaded, attached, and their events read back. Every
 * event is checked against the JSON Schema.
 */
export class Enforcement implements Disposable {
  readonly session: KernelSession;
  readonly #ring: RingBuffer;
  readonly #resources: ResourceStack;
  readonly #programs = new Map<number, ProgramEntry>();
  readonly #context: EventContext;
  #events: VespidEvent[] = [];

  constructor(policies: string | undefined, options: EnforcementOptions = {}) {
    using resources = new ResourceStack();
    const features = guestFeatures();
    this.session = resources.use(
      new KernelSession({
        scope: options.scope,
        gate: options.gate,
        features,
        ringBytes: options.ringBytes ?? RING_BYTES,
      }),
    );
    this.#context = {
      programs: this.#programs,
      host: readHostIdentity(),
      clock: { bootToUnixNs: 1_700_000_000_000_000_000n },
    };
    if (options.gate !== undefined) this.#programs.set(GATE_COOKIE, gateEntry(options.gate));
    const checked = policies === undefined ? [] : parsePolicies(policies, 'test.yaml');
    for (const file of compilePolicies(checked)) this.load(planObject(file, features, { degrade: false }));
    this.#ring = resources.use(
      new RingBuffer(
        this.session.events,
        (memory, at, byteLength) => this.#receive(memory.subarray(at, at + byteLength)),
        {
          poll: options.poll ?? false,
        },
      ),
    );
    this.session.attachAll();
    this.#resources = resources.move();
  }

  load(plan: ObjectPlan): void {
    this.session.load(plan);
    const rules = (plan.rules?.table.rules ?? []).map((rule) => ({ ...rule, delivered: rule.effect }));
    this.#programs.set(this.session.objects.length, { kind: 'rules', bundleDigest: TEST_BUNDLE, rules });
  }

  /** The events since the last call. */
  take(): VespidEvent[] {
    this.#ring.drain();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #receive(record: Uint8Array): void {
    const event = buildEvent(decodeRecord(record), this.#context);
    checkSchema(event);
    this.#events.push(event);
  }

  [Symbol.dispose](): void {
    this.#resources[Symbol.dispose]();
  }
}

/** The agent has its own; the gate's records name no rule, so what stands here is what an event must show. */
function gateEntry(mode: GateMode): ProgramEntry {
  const effect = mode === 'enforce' ? 'deny' : 'audit';
  const rule = { policy: 'vespid-gate', rule: 0, effect, delivered: effect, source: 'no ticket' } as const;
  return {
    kind: 'gate',
    bundleDigest: 'builtin:gate',
    rule: { ...rule, severity: 'critical', attack: ['T1014'] },
  };
}

const schema: object = JSON.parse(readFileSync(`${GUEST_ROOT}/engine/events/event.schema.json`, 'utf8'));
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);

function checkSchema(event: VespidEvent): void {
  if (validate(event)) return;
  assert.fail(`an event breaks the schema: ${JSON.stringify(validate.errors)}\n${JSON.stringify(event)}`);
}

/** What an event must hold: verdict, rule index, and fields at their dotted names. */
export interface ExpectedEvent {
  readonly verdict: VespidEvent['verdict'];
  readonly rule: number;
  /** Rules that matched besides. */
  readonly alsoMatched?: readonly number[];
  readonly failedClosed?: boolean;
  readonly incomplete?: readonly string[];
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What every event of a policy must hold. */
export interface ExpectedPolicy {
  readonly name: string;
  readonly hook: string;
  readonly severity: string;
  readonly attack: VespidEvent['attack'];
}

/** Exactly these events, in this order. */
export function assertEvents(
  events: readonly VespidEvent[],
  policy: ExpectedPolicy,
  expected: readonly ExpectedEvent[],
): void {
  const seen = events.map((event, index) => ({
    hook: event.hook,
    verdict: event.verdict,
    policy: event.policy,
    severity: event.severity,
    attack: event.attack,
    matches: event.matches.map((match) => match.rule),
    failedClosed: event.failed_closed ?? false,
    incomplete: event.incomplete ?? [],
    fields: Object.fromEntries(
      Object.keys(expected[index]?.fields ?? {}).map((name) => [name, fieldOf(event, name)]),
    ),
  }));
  const wanted = expected.map((event) => ({
    hook: policy.hook,
    verdict: event.verdict,
    policy: { name: policy.name, rule: event.rule, bundle: TEST_BUNDLE },
    severity: policy.severity,
    attack: policy.attack,
    matches: [event.rule, ...(event.alsoMatched ?? [])].sort((left, right) => left - right),
    failedClosed: event.failedClosed ?? false,
    incomplete: event.incomplete ?? [],
    fields: event.fields,
  }));
  assert.deepEqual(seen, wanted);
}

/** The value at a dotted name, `file.path`. */
export function fieldOf(event: VespidEvent, name: string): unknown {
  return name.split('.').reduce<unknown>((value, key) => {
    return typeof value === 'object' && value !== null
      ? Object.entries(value).find(([k]) => k === key)?.[1]
      : undefined;
  }, event);
}
