import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readObject } from '../../engine/bytecode/index.js';
import { parsePrivateKey, parsePublicKey } from '../../signing/index.js';
import { policyText, runVespid, trustPolicyText, Workspace } from './run-vespid.js';

let workspace: Workspace;
const at = (name: string) => workspace.path(name);

async function runJson(...args: readonly string[]): Promise<unknown> {
  const { exitCode, stdout, stderr } = await runVespid(...args, '--json');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return JSON.parse(stdout);
}

beforeEach(async () => {
  workspace = new Workspace();
  await runVespid('keygen', '--out', at('ci'));
  writeFileSync(at('trust.yaml'), trustPolicyText('ci.pub'));
  writeFileSync(at('a.yaml'), policyText({ name: 'a' }));
  writeFileSync(
    at('b.yaml'),
    policyText({ name: 'b', hook: 'net.connect', when: 'net.port == 1', effect: 'deny' }),
  );
});

afterEach(() => workspace[Symbol.dispose]());

describe('keygen', () => {
  it('writes one pair and says its id', async () => {
    const value = await runJson('keygen', '--out', at('new'));
    const { keyId } = parsePrivateKey(readFileSync(at('new.key'), 'utf8'), 'new.key');
    expect(value).toEqual({
      ok: true,
      keyId,
      privateKey: at('new.key'),
      publicKey: at('new.pub'),
      encrypted: false,
    });
    expect(parsePublicKey(readFileSync(at('new.pub'), 'utf8'), 'new.pub').keyId).toBe(keyId);
    expect(statSync(at('new.key')).mode & 0o777).toBe(0o600);
  });

  it('puts the private key under a passphrase', async () => {
    writeFileSync(at('passphrase'), 'correct horse\n', { mode: 0o600 });
    const value = await runJson(
      ...['keygen', '--out', at('new'), '--encrypt', '--passphrase-file', at('passphrase')],
    );
    expect(value).toMatchObject({ encrypted: true });
    const pem = readFileSync(at('new.key'), 'utf8');
    expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----/);
    const key = parsePrivateKey(pem, 'new.key', 'correct horse');
    expect(parsePublicKey(readFileSync(at('new.pub'), 'utf8'), 'new.pub').keyId).toBe(key.keyId);
  });

  it('replaces a pair only with --force', async () => {
    const before = readFileSync(at('ci.key'), 'utf8');
    expect((await runVespid('keygen', '--out', at('ci'))).exitCode).toBe(2);
    expect(readFileSync(at('ci.key'), 'utf8')).toBe(before);
    chmodSync(at('ci.key'), 0o644);
    expect((await runVespid('keygen', '--out', at('ci'), '--force')).exitCode).toBe(0);
    expect(readFileSync(at('ci.key'), 'utf8')).not.toBe(before);
    expect(statSync(at('ci.key')).mode & 0o777).toBe(0o600);
  });

  it('prints a trust policy that verify accepts', async () => {
    const { stdout } = await runVespid('keygen', '--out', at('shown'));
    const trust = /^apiVersion:[\s\S]*\.pub$/m.exec(stdout)?.[0] ?? '';
    writeFileSync(at('shown.yaml'), trust);
    await runVespid('sign', at('a.yaml'), '--key', at('shown.key'), '--out', at('shown.bundle'));
    expect((await runVespid('verify', at('shown.bundle'), '--trust', at('shown.yaml'))).exitCode).toBe(0);
  });
});

describe('compile', () => {
  it('writes one object a hook and describes it', async () => {
    const value = await runJson('compile', at('a.yaml'), at('b.yaml'), '--out', at('out/deep'));
    expect(value).toMatchObject({
      ok: true,
      objects: [
        {
          name: 'file.open.bpf.o',
          hook: 'file.open',
          rules: 1,
          programs: 2,
          path: at('out/deep/file.open.bpf.o'),
        },
        { name: 'net.connect.bpf.o', hook: 'net.connect', rules: 1, programs: 4 },
      ],
    });
    expect(readdirSync(at('out/deep'))).toEqual(['file.open.bpf.o', 'net.connect.bpf.o']);
    expect(readObject(readFileSync(at('out/deep/file.open.bpf.o')), 'object').license).toBe('Dual MIT/GPL');
  });

  it('does not depend on the order of the files', async () => {
    writeFileSync(at('c.yaml'), policyText({ name: 'c', when: 'file.name == "other"' }));
    await runVespid('compile', at('a.yaml'), at('c.yaml'), '--out', at('one'));
    await runVespid('compile', at('c.yaml'), at('a.yaml'), '--out', at('two'));
    expect(readFileSync(at('two/file.open.bpf.o'))).toEqual(readFileSync(at('one/file.open.bpf.o')));
  });

  it('warns of what is probably not meant', async () => {
    writeFileSync(at('never.yaml'), policyText({ when: 'false' }));
    const { exitCode, stderr } = await runVespid('compile', at('never.yaml'), '--out', at('out'));
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^warning: policy sample, rules\[0\] .*never true/);
    expect(await runJson('compile', at('never.yaml'), '--out', at('out'))).toMatchObject({
      warnings: [expect.stringContaining('never true')],
    });
  });
});

describe('sign', () => {
  it('tells policies and objects apart by content, and takes both from a directory', async () => {
    await runVespid('compile', at('b.yaml'), '--out', at('mixed'));
    rmSync(at('b.yaml'));
    writeFileSync(at('mixed/a.yaml'), readFileSync(at('a.yaml')));
    writeFileSync(at('mixed/README.md'), 'not for signing');
    const value = await runJson(
      'sign',
      at('mixed'),
      '--key',
      at('ci.key'),
      '--out',
      at('x.bundle'),
      '--name',
      'edge',
    );
    expect(value).toMatchObject({
      name: 'edge',
      policies: [{ name: 'a.yaml' }],
      objects: [{ name: 'file.open.bpf.o' }, { name: 'net.connect.bpf.o' }],
    });
  });

  it('warns of a key that others can read', async () => {
    chmodSync(at('ci.key'), 0o644);
    const { stderr } = await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('x.bundle'));
    expect(stderr).toMatch(/^warning: .*mode 0644.*chmod 600/);
  });

  it('replaces an older bundle', async () => {
    const sign = (policy: string) =>
      runVespid('sign', at(policy), '--key', at('ci.key'), '--out', at('x.bundle'));
    await sign('a.yaml');
    expect((await sign('b.yaml')).exitCode).toBe(0);
    expect(await runJson('verify', at('x.bundle'), '--trust', at('trust.yaml'))).toMatchObject({
      policies: [{ name: 'b.yaml' }],
    });
  });
});

describe('verify and inspect', () => {
  beforeEach(async () => {
    mkdirSync(at('bundles'));
    await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('bundles/x'));
  });

  it('show people the signers, the programs and what these call', async () => {
    const { stdout } = await runVespid('verify', at('bundles/x'), '--trust', at('trust.yaml'));
    expect(stdout).toMatch(/^signed by +ci, key [0-9a-f]{64}$/m);
    expect(stdout).toMatch(
      /^file\.open\.bpf\.o +file_open_lsm +lsm +lsm_mac file_open +watch +\d+ +Dual MIT\/GPL$/m,
    );
    expect(stdout).toMatch(
      /^file_open_lsm, file_open_exit +bpf_get_current_ancestor_cgroup_id .*ringbuf_output/m,
    );
  });

  it('agree with what sign said', async () => {
    const signed = await runJson('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('bundles/x'));
    const verified = await runJson('verify', at('bundles/x'), '--trust', at('trust.yaml'));
    const { bundle, name, digest, policies, objects, predicate } = Object(signed);
    expect(verified).toMatchObject({ bundle, name, digest, policies, objects, predicate });
  });

  it('say of an inspected bundle that it is not verified', async () => {
    const { stdout } = await runVespid('inspect', at('bundles/x'));
    expect(stdout).toMatch(/^NOT VERIFIED: /);
    expect(stdout).toMatch(/^claims to be signed by {2}key [0-9a-f]{64}$/m);
    expect(await runJson('inspect', at('bundles/x'))).toMatchObject({ ok: true, verified: false, name: 'x' });
  });
});
