import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { VespidEvent } from '../../engine/events/index.js';
import { schemaErrors } from '../events/event-schema.js';
import { onePolicy } from './plan-policies.js';
import { TestCgroup } from './test-cgroup.js';
import { RunningVespid, SignedFolder, vespid } from './vespid-process.js';

/** A user without any privilege, `nobody`. */
const NOBODY = 65534;

const DECOY_POLICY = onePolicy('file.open', 'file.name == "vespid-decoy"', 'deny', 'decoy');

const folder = new SignedFolder(DECOY_POLICY);
afterAll(() => folder[Symbol.dispose]());

const events = (jsonLines: string) =>
  jsonLines
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as VespidEvent);

describe('vespid run', () => {
  it('enforces in its cgroup, writes events to every sink, and says what it saw', async () => {
    await using cgroup = new TestCgroup('run');
    const decoy = folder.file('vespid-decoy');
    const jsonl = folder.file('events.jsonl');
    writeFileSync(decoy, 'secret');
    await using running = new RunningVespid([
      folder.bundle,
      ...['--trust', folder.trust, '--cgroup', cgroup.path, '--degrade'],
      ...['--sink', 'stdout', '--sink', `jsonl:${jsonl}`],
    ]);
    await running.says(`watching ${cgroup.path}`);
    expect(running.stderr).toContain('signed by ci');
    expect(running.stderr).toContain('degraded: 1 rules deliver kill instead');

    const inside = cgroup.run(['cat', decoy]);
    const outside = TestCgroup.runOutside(['cat', decoy]);
    expect(inside).toMatchObject({ signal: 'SIGKILL', stdout: '' });
    expect(outside).toMatchObject({ status: 0, stdout: 'secret' });

    const ended = await running.stop();
    expect(ended.status).toBe(0);
    expect(ended.stderr).toContain('1 events (0 denied, 1 killed, 0 audited)');
    expect(ended.stderr).toContain('lost on this node: nothing');
    expect(ended.stdout).toBe(readFileSync(jsonl, 'utf8'));
    const [event, ...others] = events(ended.stdout);
    expect(others).toEqual([]);
    expect(schemaErrors(event)).toEqual([]);
    expect(event).toMatchObject({
      verdict: 'killed',
      degraded: { requested: 'deny' },
      policy: { name: 'decoy', rule: 0 },
      attack: [{ id: 'T1003.008', tactics: ['credential-access'] }],
      process: { pid: inside.pid, comm: 'cat' },
      file: { path: decoy },
    });
  });

  it('ends on SIGINT as on SIGTERM, with its summary as JSON for machines', async () => {
    await using cgroup = new TestCgroup('sigint');
    const common = ['--trust', folder.trust, '--cgroup', cgroup.path, '--degrade'];
    await using running = new RunningVespid([folder.bundle, ...common, '--json']);
    await running.says('watching');
    const ended = await running.stop('SIGINT');
    expect(ended.status).toBe(0);
    const lines = ended.stderr.trimEnd().split('\n');
    const last: unknown = JSON.parse(lines.at(-1) ?? '');
    expect(last).toMatchObject({ summary: { pipeline: { events: 0, undecodable: 0 }, kernel: { lost: 0 } } });
  });

  it('goes on when a Kafka address does not resolve, and says so', async () => {
    await using cgroup = new TestCgroup('unresolved');
    await using running = new RunningVespid([
      folder.bundle,
      ...['--trust', folder.trust, '--cgroup', cgroup.path, '--degrade'],
      ...['--sink', 'kafka:no-such-host.invalid:9092/events'],
    ]);
    await running.says('watching');
    await running.says('no-such-host.invalid');
    const ended = await running.stop();
    expect(ended.status).toBe(0);
    expect(ended.stderr).not.toMatch(/\n {4}at /);
  });

  const common = ['run', '--no-state', folder.bundle, '--trust', folder.trust];
  it.each([
    ['deny that this kernel cannot deliver', [...common], 4, 'EFFECT_NOT_DELIVERABLE'],
    [
      'a gate where LSM programs cannot be attached',
      [...common, '--degrade', '--gate', 'enforce'],
      4,
      'GATE_UNSUPPORTED',
    ],
    [
      'a cgroup that does not exist',
      [...common, '--degrade', '--cgroup', '/sys/fs/cgroup/unified/no-such'],
      2,
      'CGROUP_NOT_FOUND',
    ],
    ['a sink of no known form', [...common, '--sink', 'syslog:here'], 2, 'SINK_SPEC_INVALID'],
    [
      'a file that cannot be written',
      [...common, '--degrade', '--sink', 'jsonl:/no/such/folder/events'],
      1,
      'SINK_FILE_UNWRITABLE',
    ],
    ['no trust policy', ['run', '--no-state', folder.bundle], 2, 'USAGE'],
    [
      'a trust policy that is not there',
      ['run', '--no-state', folder.bundle, '--trust', '/no/such/trust.yaml'],
      2,
      'INPUT_NOT_FOUND',
    ],
  ])('refuses %s', (_what, args, status, code) => {
    const ended = vespid(args);
    expect(ended.stderr).toContain(code);
    expect(ended.stderr).not.toMatch(/\n {4}at /);
    expect(ended.status).toBe(status);
  });
});

describe('vespid demo', () => {
  it('catches every step of the intrusion and leaves only the events', () => {
    const out = folder.file('demo-events.jsonl');
    const ended = vespid(['demo', '--json', '--out', out]);
    expect(ended.stderr).toBe('');
    const result = JSON.parse(ended.stdout) as {
      steps: { policy: string; result: string; intruderSucceeded: boolean }[];
    };
    expect(ended.status).toBe(0);
    expect(result.steps.map(({ policy, result: what }) => [policy, what])).toEqual([
      ['exec-from-temporary-directory', 'seen'],
      ['credential-files', 'killed'],
      ['exec-from-memory-filesystem', 'killed'],
      ['persistence-files', 'seen'],
      ['suspicious-connect', 'denied'],
    ]);
    expect(result.steps.filter((step) => step.intruderSucceeded).map(({ policy }) => policy)).toEqual([
      'exec-from-temporary-directory',
      'persistence-files',
    ]);
    const seen = events(readFileSync(out, 'utf8'));
    expect(seen).toHaveLength(5);
    expect(seen.flatMap(schemaErrors)).toEqual([]);
    expect(existsSync(`/sys/fs/cgroup/unified/vespid-demo-${seen[0]?.process.ppid}`)).toBe(false);
  });

  it.each([
    ['demo', ['demo']],
    ['run', ['run', '--no-state', folder.bundle, '--trust', folder.trust]],
  ])('without privileges %s says so and exits 4', (_name, args) => {
    const ended = vespid(args, { uid: NOBODY });
    expect(ended.stderr).toContain('KERNEL_PERMISSION');
    expect(ended.stderr).toContain('root');
    expect(ended.status).toBe(4);
  });
});
