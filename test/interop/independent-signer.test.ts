import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { policyText, runVespid, trustPolicyText } from '../cli/run-vespid.js';
import { OpensslFolder } from './openssl.js';

const SCRIPT = join(import.meta.dirname, 'independent-signer.sh');

/** A policy, an object, a key of openssl, and the bundle that the script makes of them. */
async function signIndependently(folder: OpensslFolder): Promise<void> {
  folder.run('genpkey', '-algorithm', 'ed25519', '-out', 'ci.key');
  folder.run('pkey', '-in', 'ci.key', '-pubout', '-out', 'ci.pub');
  folder.write('policy.yaml', policyText({ name: 'sample' }));
  folder.write('trust.yaml', trustPolicyText('ci.pub'));
  const source = folder.write('pass.s', 'r0 = 2\nexit\n');
  const assembled = ['asm', source, '--section', 'xdp', '--out', folder.path('pass.bpf.o')];
  expect((await runVespid(...assembled)).exitCode).toBe(0);
  const args = ['ci.key', 'policy.yaml', 'pass.bpf.o', 'edge', 'edge.bundle'].map((name) =>
    name === 'edge' ? name : folder.path(name),
  );
  const { status, stderr } = spawnSync(SCRIPT, args, { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
}

const verify = (folder: OpensslFolder) =>
  runVespid('verify', folder.path('edge.bundle'), '--trust', folder.path('trust.yaml'));

test('a bundle that openssl, jq and sh made verifies with us', async () => {
  using folder = new OpensslFolder();
  await signIndependently(folder);
  const { exitCode, stdout, stderr } = await verify(folder);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain('pass.bpf.o');
  expect(stdout).toContain('policy.yaml');
});

test('its claims about the program are those that we make', async () => {
  using folder = new OpensslFolder();
  await signIndependently(folder);
  const inspected = await runVespid('inspect', folder.path('edge.bundle'), '--json');
  const [attestation] = JSON.parse(inspected.stdout).attestations;
  const sign = [
    'sign',
    folder.path('pass.bpf.o'),
    '--key',
    folder.path('ci.key'),
    '--out',
    folder.path('ours'),
  ];
  const signed = await runVespid(...sign, '--json');
  expect(attestation.unverifiedPredicate.programs).toEqual(JSON.parse(signed.stdout).predicate.programs);
});

test('one flipped byte in its object is refused', async () => {
  using folder = new OpensslFolder();
  await signIndependently(folder);
  const path = spawnSync('sha256sum', [folder.path('pass.bpf.o')], { encoding: 'utf8' }).stdout.slice(0, 64);
  const blob = join(folder.path('edge.bundle'), 'blobs/sha256', path);
  const bytes = readFileSync(blob);
  writeFileSync(blob, bytes.with(70, (bytes[70] ?? 0) ^ 1));
  expect((await verify(folder)).exitCode).toBe(3);
});

test('a second signer of ours can vouch for it, too', async () => {
  using folder = new OpensslFolder();
  await signIndependently(folder);
  await runVespid('keygen', '--out', folder.path('security'));
  const add = ['sign', '--add', folder.path('edge.bundle'), '--key', folder.path('security.key')];
  const { exitCode, stderr } = await runVespid(...add, '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  writeFileSync(folder.path('trust.yaml'), trustPolicyText('security.pub'));
  expect((await verify(folder)).exitCode).toBe(0);
});
