import type { VerifiedBundle } from '../../signing/index.js';
import { Agent, noticeOf, openBundle } from '../agent/index.js';
import { VespidError } from '../errors/index.js';
import { openSink, parseSink, readHostIdentity, type Sink, type SinkContext } from '../events/index.js';
import { Cgroup, probeKernel } from '../kernel/index.js';
import type { GateMode, ObjectPlan } from '../loader/index.js';
import type { AgentLog } from './agent-log.js';
import { requirePrivileges } from './privileges.js';
import { rootPins } from './root-pins.js';
import { RunMemory } from './run-memory.js';
import { stopSignal } from './stop-signal.js';

export interface RunOptions {
  readonly bundles: readonly string[];
  readonly trust: string;
  /** The node's memory; undefined: older versions are accepted, and nothing is recorded. */
  readonly state: string | undefined;
  /** Root keys that must have signed the first trust policy: key ids or paths of public keys. */
  readonly roots: readonly string[];
  /** `stdout`, `jsonl:PATH`, `kafka:HOST:PORT/TOPIC` */
  readonly sinks: readonly string[];
  readonly cgroup: string | undefined;
  readonly gate: GateMode | undefined;
  readonly degrade: boolean;
  readonly log: AgentLog;
}

/** How long a stop waits for the sinks. */
const FLUSH_MS = 10_000;
/** How long a sink may take to connect before the log says why it has not; it goes on trying. */
const CONNECT_MS = 5_000;

/**
 * Verifies, loads and enforces bundles until SIGINT or SIGTERM, then detaches, flushes, and says what was seen and
 * what was lost.
 *
 * @throws VespidError of every step on the way: verification (exit code 3), the kernel (4), usage (2)
 */
export async function runBundles(options: RunOptions): Promise<void> {
  const { log } = options;
  const specs = options.sinks.map(parseSink);
  const memory = new RunMemory(options.state, log);
  const trust = memory.openTrust(options.trust, rootPins(options.roots), new Date());
  const bundles: VerifiedBundle[] = [];
  for (const path of options.bundles) bundles.push(await openBundle(path, trust, new Date()));
  memory.check(bundles);
  for (const bundle of bundles) log.notice(verifiedNotice(bundle));
  requirePrivileges();
  memory.requireWritable();
  const features = probeKernel();
  using scope = options.cgroup === undefined ? undefined : Cgroup.open(options.cgroup);
  const host = readHostIdentity();
  const context: SinkContext = { hostId: host.id, onNotice: (notice) => log.notice(notice) };
  const sinks: Sink[] = [];
  try {
    for (const spec of specs) sinks.push(await openSink(spec, context));
    const stopped = stopSignal();
    const { gate, degrade } = options;
    const agent = Agent.start({
      bundles,
      features,
      sinks,
      host,
      scope,
      gate,
      degrade,
      onLoaded: () => memory.record(bundles),
      onNotice: (notice) => log.notice(notice),
    });
    for (const plan of agent.plans) log.notice({ level: 'info', message: describePlan(plan) });
    for (const sink of sinks) explainConnection(sink, log);
    const where = options.cgroup ?? 'the whole machine';
    log.notice({
      level: 'info',
      message: `watching ${where}${gate === undefined ? '' : `, gate: ${gate}`}; stop with Ctrl-C`,
    });
    await stopped;
    log.summary(await agent.stop(FLUSH_MS));
  } finally {
    for (const sink of sinks) await sink.close();
  }
}

function verifiedNotice(bundle: VerifiedBundle) {
  const signers = bundle.signers.map(({ id }) => id);
  return {
    level: 'info',
    message: `verified ${bundle.name} (${bundle.digest.slice(0, 19)}), signed by ${signers.join(', ')}`,
    details: { bundle: bundle.digest, signers },
  } as const;
}

function describePlan({ object, rules }: ObjectPlan): string {
  if (rules === undefined)
    return `attached ${object.name}: ${object.programs.map(({ name }) => name).join(', ')}`;
  const { table, candidate, degraded } = rules;
  const weaker = new Set([...degraded.values()].map(({ delivered }) => delivered));
  const note =
    weaker.size === 0 ? '' : `; degraded: ${degraded.size} rules deliver ${[...weaker].join(', ')} instead`;
  return `attached ${table.hook} by ${candidate.id}, ${table.rules.length} rules${note}`;
}

/** Says in the log why a sink has no connection; the sink goes on trying, and events wait. */
function explainConnection(sink: Sink, log: AgentLog): void {
  sink.connectOrExplain?.(CONNECT_MS).catch((error: unknown) => {
    if (!(error instanceof VespidError)) throw error;
    log.notice(noticeOf(error, 'warn'));
  });
}
