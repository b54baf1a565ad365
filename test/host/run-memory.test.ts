import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Agent, openBundle } from '../../engine/agent/index.js';
import { VespidError } from '../../engine/errors/index.js';
import { readHostIdentity } from '../../engine/events/index.js';
import { Cgroup, probeKernel } from '../../engine/kernel/index.js';
import { openTrustPolicy, StateFile } from '../../engine/trust/index.js';
import { TestCgroup } from './test-cgroup.js';
import { RunningVespid, SignedFolder, vespid } from './vespid-process.js';

const POLICIES = `apiVersion: vespid.dev/v1
kind: Policy
metadata: { name: decoy }
spec:
  severity: high
  rules:
    - hook: file.open
      when: file.name == "vespid-memory-decoy"
      effect: deny
`;

const folder = new SignedFolder(POLICIES);
const at = (name: string): string => folder.file(name);

function must(...args: readonly string[]): string {
  const { status, stderr, stdout } = vespid(args);
  if (status !== 0) throw new Error(`vespid ${args.join(' ')} failed: ${stderr}`);
  return stdout;
}

function signVersion(version: string): void {
  const key = ['--key', at('ci.key'), '--name', 'starter'];
  must('sign', at('policies.yaml'), ...key, '--bundle-version', version, '--out', at(`${version}.bundle`));
}

beforeAll(() => {
  for (const version of ['1.0.0', '1.1.0', '2.0.0']) signVersion(version);
  writeFileSync(at('vespid-memory-decoy'), 'secret');
});
afterAll(() => folder[Symbol.dispose]());

/** Runs until it watches, then ends it by the signal. */
async function runUntilWatching(
  bundle: string,
  state: string,
  cgroup: TestCgroup,
  signal: NodeJS.Signals = 'SIGTERM',
): Promise<void> {
  const scope = ['--cgroup', cgroup.path, '--degrade'];
  await using running = new RunningVespid([
    at(bundle),
    '--trust',
    folder.trust,
    '--state',
    at(state),
    ...scope,
  ]);
  await running.says('watching');
  await running.stop(signal);
}

const rememberedIn = (state: string) => new StateFile(at(state)).read().bundles.get('starter')?.version;

function refusal(code: string, status: number, ...args: readonly string[]): string {
  const ended = vespid(args);
  expect({ status: ended.status, code: ended.stderr.includes(`${code}: `) }, ended.stderr).toEqual({
    status,
    code: true,
  });
  return ended.stderr;
}

describe('vespid run with a memory', () => {
  it('refuses to go back to what was validly signed, until it is made to forget', async () => {
    await using cgroup = new TestCgroup('memory');
    const judged = ['--trust', folder.trust, '--state', at('state.json')];
    await runUntilWatching('1.1.0.bundle', 'state.json', cgroup);
    expect(rememberedIn('state.json')).toBe('1.1.0');

    const stderr = refusal('BUNDLE_ROLLBACK', 3, 'run', at('1.0.0.bundle'), ...judged);
    expect(stderr).toContain('1.1.0');
    expect(stderr).toContain('vespid trust state forget starter');
    expect(stderr).not.toContain('attached');
    refusal('BUNDLE_ROLLBACK', 3, 'verify', at('1.0.0.bundle'), ...judged);
    refusal('BUNDLE_VERSION_MISSING', 3, 'verify', unversioned(), ...judged);
    must('verify', at('2.0.0.bundle'), ...judged);
    expect(rememberedIn('state.json')).toBe('1.1.0');

    must('trust', 'state', 'forget', 'starter', '--state', at('state.json'));
    await runUntilWatching('1.0.0.bundle', 'state.json', cgroup);
    expect(rememberedIn('state.json')).toBe('1.0.0');
  });

  it('remembers what ran when it is killed, and runs the same again', async () => {
    await using cgroup = new TestCgroup('memory-killed');
    await runUntilWatching('1.1.0.bundle', 'killed.json', cgroup, 'SIGKILL');
    expect(rememberedIn('killed.json')).toBe('1.1.0');
    await runUntilWatching('1.1.0.bundle', 'killed.json', cgroup);
  });

  it('does not remember what this kernel did not take, so that the last good one can run', async () => {
    await using cgroup = new TestCgroup('memory-refused');
    const scope = ['--cgroup', cgroup.path];
    const words = ['--trust', folder.trust, '--state', at('refused.json'), ...scope];
    await runUntilWatching('1.1.0.bundle', 'refused.json', cgroup);
    // Without --degrade: this kernel cannot deny.
    refusal('EFFECT_NOT_DELIVERABLE', 4, 'run', at('2.0.0.bundle'), ...words);
    expect(rememberedIn('refused.json')).toBe('1.1.0');
  });

  it('remembers a signed trust policy also when it refuses the bundle, and then no plain one', () => {
    must('keygen', '--out', at('alice'));
    const signed = readFileSync(folder.trust, 'utf8').replace('ci.pub', 'alice.pub');
    const root = 'version: 1\nexpires: 2999-01-01T00:00:00Z\nrootKeys: { threshold: 1, keys: [alice.pub] }\n';
    writeFileSync(at('signed.yaml'), `${signed}${root}`);
    must('trust', 'sign', at('signed.yaml'), '--key', at('alice.key'));
    const state = ['--state', at('signed-state.json')];
    const run = (trust: string) => ['run', at('1.0.0.bundle'), '--trust', at(trust), ...state];
    const stderr = refusal('BUNDLE_SIGNER_UNKNOWN', 3, ...run('signed.signed.json'));
    expect(stderr).toContain('trusted on first use');
    expect(new StateFile(at('signed-state.json')).read().trustPolicy?.version).toBe(1);
    refusal('TRUST_POLICY_UNSIGNED', 3, ...run('trust.yaml'));
    const other = ['--state', at('pinned-state.json'), '--root', at('ci.pub')];
    refusal('TRUST_POLICY_ROOT_KEY_MISSING', 3, ...run('signed.signed.json').slice(0, -2), ...other);
    expect(existsSync(at('pinned-state.json'))).toBe(false);
  });

  it('says before it loads anything that it cannot remember', () => {
    const words = ['--trust', folder.trust, '--state', '/proc/vespid/state.json', '--degrade'];
    const stderr = refusal('TRUST_STATE_UNWRITABLE', 1, 'run', at('1.0.0.bundle'), ...words);
    expect(stderr).toContain('--no-state');
    expect(stderr).not.toContain('attached');
  });
});

describe('between the last load and the first attach', () => {
  const start = async (cgroup: TestCgroup, onLoaded: () => void): Promise<Agent> =>
    Agent.start({
      bundles: [await openBundle(at('1.0.0.bundle'), openTrustPolicy(folder.trust), new Date())],
      features: probeKernel(),
      sinks: [],
      host: readHostIdentity(),
      scope: Cgroup.open(cgroup.path),
      gate: undefined,
      degrade: true,
      onLoaded,
      onNotice: () => undefined,
    });

  it('nothing has an effect yet, and what is thrown leaves it so', async () => {
    await using cgroup = new TestCgroup('memory-loaded');
    const read = () => cgroup.run(['cat', at('vespid-memory-decoy')]).status;
    let statusWhenLoaded: number | null = null;
    const started = start(cgroup, () => {
      statusWhenLoaded = read();
      throw new VespidError('BUNDLE_ROLLBACK', 'another agent was faster');
    });
    await expect(started).rejects.toMatchObject({ code: 'BUNDLE_ROLLBACK' });
    expect({ statusWhenLoaded, after: read() }).toEqual({ statusWhenLoaded: 0, after: 0 });
  });
});

/** The bundle of the folder, under the name of the versioned ones. */
function unversioned(): string {
  must('sign', at('policies.yaml'), '--key', at('ci.key'), '--name', 'starter', '--out', at('plain.bundle'));
  return at('plain.bundle');
}
