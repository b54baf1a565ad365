import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Agent } from '../../../engine/agent/index.js';
import { describeKernel } from '../../../engine/cli/kernel-report.js';
import { compilePolicies } from '../../../engine/compiler/index.js';
import { openSink, readHostIdentity, type VespidEvent } from '../../../engine/events/index.js';
import { parsePolicies } from '../../../policies/language/index.js';
import { guestFeatures, policyText, TEST_BUNDLE } from './enforcement.js';
import { guestTest } from './guest-test.js';

/** What an operator starts, on the whole machine. Signing and verifying are the host's tests: cold, they are slow here. */

const POLICY = policyText('decoy', { severity: 'high', attack: ['T1003.008'] }, [
  { hook: 'file.open', when: 'file.name == "vespid-decoy"', effect: 'deny' },
]);
const PINS = '/sys/fs/bpf/unsigned';

guestTest('vespid doctor: every effect on every hook, by LSM', { needs: ['bpf-lsm'] }, () => {
  // The report of `--json`, whose shape the command's help documents.
  const report = describeKernel(guestFeatures()).json as {
    hooks: { hook: string; attach: string; effects: string[] }[];
  };
  assert.deepEqual(
    report.hooks.map(({ hook, attach, effects }) => [hook, attach, effects]),
    ['process.exec', 'file.open', 'net.connect'].map((hook) => [hook, 'lsm', ['audit', 'deny', 'kill']]),
  );
});

guestTest(
  'the agent with its gate: own bundle in force, bpftool refused and reported, all gone afterwards',
  { needs: ['program-load-hook'] },
  async () => {
    const folder = mkdtempSync('/tmp/agent-');
    const decoy = join(folder, 'vespid-decoy');
    const jsonl = join(folder, 'events.jsonl');
    const unsigned = join(folder, 'unsigned.bpf.o');
    writeFileSync(decoy, 'secret');
    const objects = compilePolicies(parsePolicies(POLICY, 'policy.yaml'));
    writeFileSync(unsigned, objects[0]?.bytes ?? '');
    const load = () => spawnSync('bpftool', ['prog', 'loadall', unsigned, PINS], { encoding: 'utf8' });
    const host = readHostIdentity();
    const onNotice = ({ message }: { readonly message: string }) => assert.fail(message);
    const sink = await openSink({ kind: 'jsonl', path: jsonl }, { hostId: host.id, onNotice });

    const agent = Agent.start({
      bundles: [{ digest: TEST_BUNDLE, objects }],
      features: guestFeatures(),
      sinks: [sink],
      host,
      scope: undefined,
      gate: 'enforce',
      degrade: false,
      onNotice,
    });
    const denied = spawnSync('cat', [decoy], { encoding: 'utf8' });
    const refused = load();
    const summary = await agent.stop(5_000);

    assert.match(denied.stderr, /Operation not permitted/);
    assert.equal(denied.stdout, '');
    assert.match(refused.stderr, /Operation not permitted|-1/);
    assert.equal(existsSync(PINS), false);
    const events = readFileSync(jsonl, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as VespidEvent);
    assert.equal(summary.pipeline.events, events.length);
    assert.deepEqual(
      [summary.kernel.lost, summary.kernel.unjudged, summary.pipeline.undecodable, summary.sinks[0]?.dropped],
      [0, 0, 0, 0],
    );
    assert.equal(events.find(({ hook }) => hook === 'file.open')?.file?.path, decoy);
    const gateEvents = events.filter(({ hook }) => hook === 'program.load');
    assert.ok(gateEvents.length > 0);
    for (const event of gateEvents) {
      assert.deepEqual(
        [event.verdict, event.process.comm, event.policy.name, event.attack.map(({ id }) => id)],
        ['denied', 'bpftool', 'vespid-gate', ['T1014']],
      );
    }
    assert.equal(readFileSync(decoy, 'utf8'), 'secret');
    const admitted = load();
    assert.equal(admitted.status, 0, admitted.stderr);
    rmSync(PINS, { recursive: true });
  },
);
