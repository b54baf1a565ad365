import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runProgram } from '../../../engine/cli/program.js';
import { type CompiledObject, compilePolicies } from '../../../engine/compiler/index.js';
import type { VespidEvent } from '../../../engine/events/index.js';
import { computeClaims, writeBundle } from '../../../engine/loader/index.js';
import { parsePolicies } from '../../../policies/language/index.js';
import { createBundle, type Signer } from '../../../signing/index.js';
import { policyText } from './enforcement.js';
import { guestTest } from './guest-test.js';

/** The program as an operator runs it, on the whole machine. */

const POLICY = policyText('decoy', { severity: 'high', attack: ['T1003.008'] }, [
  { hook: 'file.open', when: 'file.name == "vespid-decoy"', effect: 'deny' },
]);

const NAMES = ['test.bundle', 'trust.yaml', 'ci.pub', 'vespid-decoy', 'events.jsonl', 'unsigned.bpf.o'];
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

/** Signs with Node's own Ed25519: ours, in plain JavaScript, takes seconds when cold under emulation. */
async function sign(bundle: string, publicKeyFile: string, object: CompiledObject): Promise<void> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  writeFileSync(publicKeyFile, publicKey.export({ type: 'spki', format: 'pem' }));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const signer: Signer = {
    keyId: createHash('sha256').update(spki).digest('hex'),
    sign: (message) => signBytes(null, message, privateKey),
  };
  const policies = [{ name: 'policy.yaml', bytes: new TextEncoder().encode(POLICY) }];
  const { name, bytes } = object;
  const input = { name: 'test', policies, objects: [{ name, bytes }] };
  await writeBundle(bundle, createBundle(input, computeClaims(name, bytes), signer));
}

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
    const [bundle, trust, key, decoy, jsonl, object] = NAMES.map((name) => join(folder, name));
    assert.ok(bundle && trust && key && decoy && jsonl && object);
    writeFileSync(trust, TRUST);
    const [compiled] = compilePolicies(parsePolicies(POLICY, 'policy.yaml'));
    assert.ok(compiled !== undefined);
    await sign(bundle, key, compiled);
    writeFileSync(object, compiled.bytes);
    writeFileSync(decoy, 'secret');
    const load = () =>
      spawnSync('bpftool', ['prog', 'loadall', object, '/sys/fs/bpf/unsigned'], { encoding: 'utf8' });

    const running = command([
      'run',
      bundle,
      '--trust',
      trust,
      '--gate',
      'enforce',
      '--sink',
      `jsonl:${jsonl}`,
    ]);
    while (spawnSync('cat', [decoy]).status === 0) await setTimeout(50);
    const denied = spawnSync('cat', [decoy], { encoding: 'utf8' });
    assert.match(denied.stderr, /Operation not permitted/);
    assert.equal(denied.stdout, '');
    const refused = load();
    assert.match(refused.stderr, /EPERM|Operation not permitted|\(-1\)/);
    assert.equal(existsSync('/sys/fs/bpf/unsigned/file_open_lsm'), false);
    process.emit('SIGTERM');
    const ended = await running;
    assert.equal(ended.status, 0, ended.stderr);

    const events = readFileSync(jsonl, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as VespidEvent);
    assert.equal(events.find(({ hook }) => hook === 'file.open')?.file?.path, decoy);
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
