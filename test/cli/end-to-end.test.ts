import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIBRARY, runVespid, spawnVespid, trustPolicyText, Workspace } from './run-vespid.js';

/** Each process takes half a second to start, more on a busy machine. */
const TIMEOUT_MS = 60_000;

/** From key to refusal, mostly one process of the compiled program for each command, as CI and a node run it. */
describe('keygen, compile, sign, verify', { timeout: TIMEOUT_MS }, () => {
  const workspace = new Workspace();
  const [bundle, trust] = [workspace.path('starter.bundle'), workspace.path('trust.yaml')];

  beforeAll(() => {
    expect(spawnVespid('keygen', '--out', workspace.path('ci')).exitCode).toBe(0);
    expect(spawnVespid('keygen', '--out', workspace.path('stranger')).exitCode).toBe(0);
    writeFileSync(trust, trustPolicyText('ci.pub'));
    const signed = spawnVespid('sign', LIBRARY, '--key', workspace.path('ci.key'), '--out', bundle);
    expect(signed).toMatchObject({ exitCode: 0, stderr: '' });
  }, TIMEOUT_MS);

  afterAll(() => workspace[Symbol.dispose]());

  it('writes keys that OpenSSL reads', () => {
    const text = (...args: string[]) =>
      spawnSync('openssl', ['pkey', ...args, '-noout', '-text'], { encoding: 'utf8' });
    expect(text('-in', workspace.path('ci.key')).stdout).toContain('ED25519 Private-Key');
    expect(text('-pubin', '-in', workspace.path('ci.pub')).stdout).toContain('ED25519 Public-Key');
    expect(statSync(workspace.path('ci.key')).mode & 0o777).toBe(0o600);
  });

  it('compiles the same policies to the same bytes', () => {
    const [first, second] = [workspace.path('first'), workspace.path('second')];
    for (const out of [first, second]) expect(spawnVespid('compile', LIBRARY, '--out', out).exitCode).toBe(0);
    const names = readdirSync(first);
    expect(names).toEqual(['file.open.bpf.o', 'net.connect.bpf.o', 'process.exec.bpf.o']);
    expect(readdirSync(second)).toEqual(names);
    for (const name of names)
      expect(readFileSync(join(second, name))).toEqual(readFileSync(join(first, name)));
  });

  it('signs the same input to the same bundle', () => {
    const again = workspace.path('again', 'starter.bundle');
    mkdirSync(workspace.path('again'));
    spawnVespid('sign', LIBRARY, '--key', workspace.path('ci.key'), '--out', again);
    expect(filesOf(again)).toEqual(filesOf(bundle));
  });

  it('verifies what it signed', () => {
    const verified = spawnVespid('verify', bundle, '--trust', trust, '--json');
    expect(verified).toMatchObject({ exitCode: 0, stderr: '' });
    const value: unknown = JSON.parse(verified.stdout);
    expect(value).toMatchObject({
      ok: true,
      name: 'starter.bundle',
      threshold: 1,
      signers: [{ id: 'ci' }],
      objects: [{ name: 'file.open.bpf.o' }, { name: 'net.connect.bpf.o' }, { name: 'process.exec.bpf.o' }],
    });
  });

  it('refuses the bundle when any one of its files has a byte flipped', async () => {
    const damaged = workspace.path('damaged.bundle');
    for (const [path, bytes] of filesOf(bundle)) {
      rmSync(damaged, { recursive: true, force: true });
      cpSync(bundle, damaged, { recursive: true });
      const flipped = Buffer.from(bytes);
      const at = flipped.length >> 1;
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      writeFileSync(join(damaged, path), flipped);
      const { exitCode, stderr } = await runVespid('verify', damaged, '--trust', trust);
      expect({ path, exitCode, refused: /^BUNDLE_[A-Z_]+: /.test(stderr) }).toEqual({
        path,
        exitCode: 3,
        refused: true,
      });
    }
  });

  it('refuses a bundle that another key signed', () => {
    const foreign = workspace.path('foreign.bundle');
    spawnVespid('sign', LIBRARY, '--key', workspace.path('stranger.key'), '--out', foreign);
    const { exitCode, stderr } = spawnVespid('verify', foreign, '--trust', trust);
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/^BUNDLE_SIGNER_UNKNOWN: /);
  });
});

function filesOf(directory: string): Map<string, Buffer> {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  const files = paths.filter((path) => statSync(join(directory, path)).isFile()).sort();
  return new Map(files.map((path) => [path, readFileSync(join(directory, path))]));
}
