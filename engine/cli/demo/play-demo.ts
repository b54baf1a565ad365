import { mkdirSync, mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, type AgentSummary } from '../../agent/index.js';
import { hasSystemCode } from '../../errors/index.js';
import { openSink, readHostIdentity, type Sink, tableHeader, tableRow } from '../../events/index.js';
import { Cgroup, cgroupRoot, type KernelFeatures, probeKernel } from '../../kernel/index.js';
import type { ObjectPlan } from '../../loader/index.js';
import { requirePrivileges } from '../privileges.js';
import { reportStep, type StepReport } from './demo-report.js';
import { DemoSink } from './demo-sink.js';
import { closeStage, openStage, STEPS } from './intrusion.js';
import { makeStarterBundle } from './starter-bundle.js';

export interface DemoOptions {
  /** Where the events go as JSON lines. */
  readonly eventsFile: string;
  readonly colour: boolean;
  /** Lines for people, as things happen. */
  readonly say: (line: string) => void;
}

export interface DemoResult {
  readonly kernel: string;
  readonly steps: readonly StepReport[];
  readonly summary: AgentSummary;
}

/** Time for the records of a step to come through the ring buffer and the event loop. */
const SETTLE_MS = 150;
const FLUSH_MS = 5_000;

/**
 * The whole main job once, in a folder and a cgroup of its own: sign, verify, load, a scripted intrusion, its
 * events. Leaves nothing behind but the events file.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_UNSUPPORTED, HOOK_NOT_ATTACHABLE (exit code 4)
 */
export async function playDemo(options: DemoOptions): Promise<DemoResult> {
  requirePrivileges();
  const features = probeKernel();
  const workspace = mkdtempSync(join(tmpdir(), 'vespid-demo-'));
  const cgroupPath = join(cgroupRoot(), `vespid-demo-${process.pid}`);
  try {
    mkdirSync(cgroupPath);
    return await playIn(workspace, cgroupPath, features, options);
  } finally {
    rmSync(workspace, { recursive: true, force: true });
    await removeCgroup(cgroupPath);
  }
}

async function playIn(
  workspace: string,
  cgroupPath: string,
  features: KernelFeatures,
  options: DemoOptions,
): Promise<DemoResult> {
  const { say } = options;
  const bundle = await makeStarterBundle(workspace);
  say(
    `signed    ${bundle.policyCount} policies, ${bundle.programCount} programs with a fresh key ${bundle.keyId.slice(0, 16)}…`,
  );
  say(`verified  ${bundle.verified.digest} by the trust policy`);
  using scope = Cgroup.open(cgroupPath);
  const host = readHostIdentity();
  const table = new DemoSink((event) => say(tableRow(event, { colour: options.colour })));
  const onNotice = ({ message }: { readonly message: string }) => say(`! ${message}`);
  const jsonl = await openSink({ kind: 'jsonl', path: options.eventsFile }, { hostId: host.id, onNotice });
  const sinks: Sink[] = [table, jsonl];
  const bundles = [bundle.verified];
  const agent = Agent.start({
    bundles,
    features,
    sinks,
    host,
    scope,
    gate: undefined,
    degrade: true,
    onNotice,
  });
  let summary: AgentSummary | undefined;
  const steps: StepReport[] = [];
  try {
    for (const plan of agent.plans) say(describePlan(plan));
    say(`scope     ${cgroupPath}: nothing outside it is touched\n`);
    say(tableHeader());
    const stage = await openStage(cgroupPath, workspace);
    try {
      for (const step of STEPS) {
        const before = table.events.length;
        const outcome = await step.play(stage);
        await delay(SETTLE_MS);
        steps.push(reportStep(step, outcome, table.events.slice(before)));
      }
    } finally {
      closeStage(stage);
    }
  } finally {
    summary = await agent.stop(FLUSH_MS);
  }
  return { kernel: features.release, steps, summary };
}

function describePlan({ object, rules }: ObjectPlan): string {
  if (rules === undefined) return `loaded    ${object.name}`;
  const { table, candidate, degraded } = rules;
  const [weaker] = degraded.values();
  const note =
    weaker === undefined
      ? candidate.guarantee
      : `${weaker.delivered} in place of deny: ${candidate.guarantee}`;
  return `loaded    ${table.hook} by ${candidate.id} (${note})`;
}

/** The kernel frees a cgroup once its last process is reaped, which can be a moment after it ended. */
async function removeCgroup(path: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      rmdirSync(path);
      return;
    } catch (error) {
      if (hasSystemCode(error, 'ENOENT')) return;
      if (!hasSystemCode(error, 'EBUSY') || attempt === 20) throw error;
      await delay(50);
    }
  }
}
