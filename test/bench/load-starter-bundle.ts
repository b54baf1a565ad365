import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { compilePolicies } from '../../engine/compiler/index.js';
import { Cgroup, ResourceStack } from '../../engine/kernel/index.js';
import { checkFileClaims, computePredicate, KernelSession, planObject } from '../../engine/loader/index.js';
import { parsePolicies } from '../../policies/language/index.js';
import {
  acceptBundle,
  type BundleFiles,
  createBundle,
  generateKeyPair,
  KeySigner,
  MemoryBundle,
  parsePrivateKey,
  parseTrustPolicy,
  readVerifiedBundle,
} from '../../signing/index.js';
import { hostFeatures } from '../host/plan-policies.js';
import { TestCgroup } from '../host/test-cgroup.js';
import { median } from './median.js';
import { packageRoot } from './package-root.js';

const ROUNDS = 5;

/** How long the policies that we ship take from files to attached programs, step by step; the median of rounds. */
export async function loadStarterBundle(): Promise<Record<string, unknown>> {
  const folder = join(packageRoot(), 'policies/library');
  const texts = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
  await using cgroup = new TestCgroup('bench-load');
  // Features are probed once by an agent, not per bundle.
  hostFeatures();
  const rounds: Awaited<ReturnType<typeof oneRound>>[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await oneRound(texts, cgroup.path));
  const steps = Object.keys(rounds[0]?.milliseconds ?? {});
  return {
    milliseconds: Object.fromEntries(
      steps.map((step) => [step, median(rounds.map((round) => round.milliseconds[step] ?? 0))]),
    ),
    ...rounds[0]?.size,
    rounds: ROUNDS,
  };
}

async function oneRound(texts: readonly { name: string; text: string }[], cgroupPath: string) {
  const milliseconds: Record<string, number> = {};
  const timed = <Result>(step: string, run: () => Result): Result => {
    const start = performance.now();
    const result = run();
    milliseconds[step] = performance.now() - start;
    return result;
  };
  const timedAsync = async <Result>(step: string, run: () => Promise<Result>): Promise<Result> => {
    const start = performance.now();
    const result = await run();
    milliseconds[step] = performance.now() - start;
    return result;
  };
  const policies = timed('parse and check', () =>
    texts.flatMap(({ name, text }) => parsePolicies(text, name)),
  );
  const objects = timed('compile', () => compilePolicies(policies));
  const { signer, trust } = keys();
  const input = {
    name: 'starter',
    policies: texts.map(({ name, text }) => ({ name, bytes: new TextEncoder().encode(text) })),
    objects: objects.map(({ name, bytes }) => ({ name, bytes })),
  };
  const files: BundleFiles = await timedAsync('sign', () =>
    createBundle(input, computePredicate(input, '0.0.0'), [signer]),
  );
  const accepted = await timedAsync('verify', () => acceptBundle(new MemoryBundle(files), trust, new Date()));
  const bundle = await timedAsync('check claims', () =>
    readVerifiedBundle(accepted, (file) => checkFileClaims(accepted.statement.predicate, file)),
  );
  const plans = timed('plan', () =>
    bundle.objects.map((file) => planObject(file, hostFeatures(), { degrade: true })),
  );
  using resources = new ResourceStack();
  const scope = resources.use(Cgroup.open(cgroupPath));
  const session = timed('load', () => {
    const opened = resources.use(
      new KernelSession({ scope, gate: undefined, features: hostFeatures(), ringBytes: 1024 * 1024 }),
    );
    for (const plan of plans) opened.load(plan);
    return opened;
  });
  timed('attach', () => session.attachAll());
  milliseconds['verify to attach'] = ['verify', 'check claims', 'plan', 'load', 'attach'].reduce(
    (sum, step) => sum + (milliseconds[step] ?? 0),
    0,
  );
  const programs = session.objects.flatMap(({ loaded }) => loaded.programs);
  return { milliseconds, size: { objects: objects.length, programs: programs.length } };
}

const TRUST = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys:
  - id: bench
    publicKey: bench.pub
`;

function keys() {
  const { privateKeyPem, publicKeyPem } = generateKeyPair();
  return {
    signer: new KeySigner(parsePrivateKey(privateKeyPem, 'bench.key')),
    trust: parseTrustPolicy(TRUST, 'trust.yaml', () => publicKeyPem),
  };
}
