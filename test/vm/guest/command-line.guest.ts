import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from '../../../engine/cli/program.js';
import { compilePolicies } from '../../../engine/compiler/index.js';
import type { VespidEvent } from '../../../engine/events/index.js';
import { parsePolicies } from '../../../policies/language/index.js';
import { RunningVespid } from '../../host/vespid-process.js';
import { policyText } from './enforcement.js';
import { guestTest } from './guest-test.js';

/** The program as an operator runs it, on the whole machine. */

const POLICY = policyText('decoy', { severity: 'high', attack: ['T1003.008'] }, [
  { hook: 'file.open', when: 'file.name == "vespid-decoy"', effect: 'deny' },
]);

const TRUST = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys:
  - id: ci
    publicKey: ci.pub
`;

/** A command in this process: under emulation a start of its own costs seconds. */
async function command(args: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const status = await runProgram(args, {
    writeOut: (text) => {
      written.stdout += text;
    },
    writeErr: (text) => {
      written.stderr += text;
    },
  });
  return { status, ...written };
}

async function must(args: readonly string[]): Promise<void> {
  const { status, stderr } = await command(args);
  assert.equal(status, 0, stderr);
}

guestTest('vespid demo blocks all three steps with EPERM', { needs: ['bpf-lsm'] }, async () => {
  const folder = mkdtempSync('/tmp/demo-');
  const ended = await command(['demo', '--json', '--out', join(folder, 'demo.jsonl')]);
  assert.equal(ended.status, 0, ended.stdout);
  const result = JSON.parse(ended.stdout) as {
    steps: { policy: string; result: string; intruderSucceeded: boolean }[];
  };
  assert.deepEqual(
    result.steps.map(({ policy, result: what, intruderSucceeded }) => [policy, what, intruderSucceeded]),
    [
      ['exec-from-temporary-directory', 'seen', true],
      ['credential-files', 'denied', false],
      ['exec-from-memory-filesystem', 'denied', false],
      ['persistence-files', 'seen', true],
      ['suspicious-connect', 'denied', false],
    ],
  );
});

guestTest('vespid doctor: every effect on every hook, by LSM', { needs: ['bpf-lsm'] }, async () => {
  const report = JSON.parse((await command(['doctor', '--json'])).stdout) as {
    hooks: { hook: string; attach: string; effects: string[] }[];
  };
  assert.deepEqual(
    report.hooks.map(({ hook, attach, effects }) => [hook, attach, effects]),
    ['process.exec', 'file.open', 'net.connect'].map((hook) => [hook, 'lsm', ['audit', 'deny', 'kill']]),
  );
});

guestTest(
  'vespid run --gate enforce: own bundle in force, bpftool refused and reported, all gone afterwards',
  { needs: ['program-load-hook'] },
  async () => {
    const folder = mkdtempSync('/tmp/run-');
    const [policy, key, bundle, trust] = ['policy.yaml', 'ci', 'test.bundle', 'trust.yaml'].map((name) =>
      join(folder, name),
    );
    const [decoy, jsonl, object] = ['vespid-decoy', 'events.jsonl', 'unsigned.bpf.o'].map((name) =>
      join(folder, name),
    );
    assert.ok(policy && key && bundle && trust && decoy && jsonl && object);
    writeFileSync(policy, POLICY);
    writeFileSync(trust, TRUST);
    await must(['keygen', '--out', key]);
    await must(['sign', policy, '--key', `${key}.key`, '--out', bundle]);
    writeFileSync(decoy, 'secret');
    const [compiled] = compilePolicies(parsePolicies(POLICY, 'policy.yaml'));
    writeFileSync(object, compiled?.bytes ?? '');
    const load = () =>
      spawnSync('bpftool', ['prog', 'loadall', object, '/sys/fs/bpf/unsigned'], { encoding: 'utf8' });

    await using running = new RunningVespid([
      bundle,
      ...['--trust', trust, '--gate', 'enforce', '--sink', `jsonl:${jsonl}`],
    ]);
    await running.says('watching the whole machine, gate: enforce');
    const denied = spawnSync('cat', [decoy], { encoding: 'utf8' });
    assert.match(denied.stderr, /Operation not permitted/);
    assert.equal(denied.stdout, '');
    const refused = load();
    assert.match(refused.stderr, /EPERM|Operation not permitted|\(-1\)/);
    assert.equal(existsSync('/sys/fs/bpf/unsigned/file_open_lsm'), false);
    const ended = await running.stop();
    assert.equal(ended.status, 0, ended.stderr);
    assert.match(ended.stderr, /lost on this node: nothing/);

    const events = readFileSync(jsonl, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as VespidEvent);
    assert.deepEqual(events.find(({ hook }) => hook === 'file.open')?.file?.path, decoy);
    const gateEvents = events.filter(({ hook }) => hook === 'program.load');
    assert.ok(gateEvents.length > 0, ended.stderr);
    for (const event of gateEvents) {
      assert.equal(event.verdict, 'denied');
      assert.equal(event.process.comm, 'bpftool');
      assert.deepEqual(
        event.attack.map(({ id }) => id),
        ['T1014'],
      );
    }
    assert.equal(readFileSync(decoy, 'utf8'), 'secret');
    const admitted = load();
    assert.equal(admitted.status, 0, admitted.stderr);
    spawnSync('rm', ['-r', '/sys/fs/bpf/unsigned']);
  },
);
