import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, test, vi } from 'vitest';
import { StateFile } from '../../engine/trust/index.js';
import { MemoryRegistry } from '../bundles/registry/memory-registry.js';
import { policyText, runVespid, trustPolicyText, Workspace } from './run-vespid.js';

let workspace: Workspace;
let registry: MemoryRegistry;
const at = (name: string) => workspace.path(name);
const reference = (suffix = ':1') => `${registry.host}/team/starter${suffix}`;

async function run(...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await runVespid(...args, '--json');
  return { exitCode, stderr, ...Object(JSON.parse(stdout)) };
}

const pull = (suffix?: string, ...options: readonly string[]) =>
  run('pull', reference(suffix), '--trust', at('trust.yaml'), '--out', at('out'), ...options);

beforeEach(async () => {
  workspace = new Workspace();
  registry = await MemoryRegistry.start({ referrersApi: true });
  vi.stubEnv('DOCKER_CONFIG', workspace.directory);
  for (const key of ['ci', 'stranger']) await runVespid('keygen', '--out', at(key));
  writeFileSync(at('trust.yaml'), trustPolicyText('ci.pub'));
  writeFileSync(at('a.yaml'), policyText({ name: 'a' }));
  await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('starter'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await registry[Symbol.asyncDispose]();
  workspace[Symbol.dispose]();
});

describe('push and pull', () => {
  it('give the same bundle back', async () => {
    const pushed = await run('push', at('starter'), reference());
    expect(pushed).toMatchObject({
      ok: true,
      name: 'starter',
      tag: '1',
      movedTag: true,
      addedAttestations: 1,
    });
    const pulled = await pull();
    expect(pulled).toMatchObject({
      ...{ ok: true, bundle: at('out'), name: 'starter', digest: pushed.digest, threshold: 1 },
      ...{ reference: pushed.reference, signers: [{ id: 'ci' }], ignoredReferrers: [] },
    });
    const verify = (path: string) => run('verify', path, '--trust', at('trust.yaml'));
    const [sent, received] = [await verify(at('starter')), await verify(at('out'))];
    expect({ ...received, bundle: '' }).toEqual({ ...sent, bundle: '' });
  });

  it('take and give one tar file', async () => {
    await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('starter.tar'));
    const { digest } = await run('push', at('starter.tar'), reference());
    const pulled = await run('pull', reference(), '--trust', at('trust.yaml'), '--out', at('pulled.tar'));
    expect(pulled).toMatchObject({ ok: true, digest });
    expect(readFileSync(at('pulled.tar'))).toEqual(readFileSync(at('starter.tar')));
  });

  it('tell people what to pin', async () => {
    const { stdout } = await runVespid('push', at('starter'), reference());
    const pinned = /^pin +(\S+@sha256:[0-9a-f]{64})$/m.exec(stdout)?.[1] ?? '';
    const { exitCode, stdout: pulled } = await runVespid(
      ...['pull', pinned, '--trust', at('trust.yaml'), '--out', at('out')],
    );
    expect(exitCode).toBe(0);
    expect(pulled).toContain(pinned);
    expect(pulled).toMatch(/^signed by +ci$/m);
  });
});

describe('push', () => {
  it('refuses a directory that is no bundle, before it asks the registry', async () => {
    writeFileSync(at('starter/index.json'), '{}');
    expect(await run('push', at('starter'), reference())).toMatchObject({ ok: false, exitCode: 3 });
    expect(registry.requests).toEqual([]);
  });

  it('refuses another bundle than the reference names', async () => {
    const other = `@sha256:${'0'.repeat(64)}`;
    expect(await run('push', at('starter'), reference(other))).toMatchObject({
      error: { code: 'REGISTRY_DIGEST_MISMATCH' },
    });
    expect(registry.requests).toEqual([]);
  });

  it('takes the version for a tag', async () => {
    const version = ['--bundle-version', '1.4.0+build.7'];
    await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('starter'), ...version);
    expect(await run('push', at('starter'), reference(''))).toMatchObject({
      tag: '1.4.0_build.7',
      movedTag: true,
    });
    expect(await pull(':1.4.0_build.7')).toMatchObject({ ok: true, version: '1.4.0+build.7' });
  });

  it('needs a tag, or a version', async () => {
    expect(await run('push', at('starter'), reference(''))).toMatchObject({
      exitCode: 2,
      error: { code: 'USAGE' },
    });
  });

  it('moves a tag only on demand', async () => {
    await run('push', at('starter'), reference());
    writeFileSync(at('a.yaml'), policyText({ name: 'b' }));
    await runVespid('sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('starter'));
    const refused = await run('push', at('starter'), reference());
    expect(refused).toMatchObject({ exitCode: 2, error: { code: 'REGISTRY_TAG_TAKEN' } });
    expect(await run('push', at('starter'), reference(), '--replace-tag')).toMatchObject({ movedTag: true });
  });
});

describe('pull', () => {
  test.each<{ name: string; prepare: () => Promise<unknown>; code: string }>([
    {
      name: 'a stranger signed',
      prepare: async () => {
        await runVespid('sign', at('a.yaml'), '--key', at('stranger.key'), '--out', at('starter'));
        return run('push', at('starter'), reference());
      },
      code: 'BUNDLE_SIGNER_UNKNOWN',
    },
    {
      name: 'the registry has not',
      prepare: async () => undefined,
      code: 'REGISTRY_NOT_FOUND',
    },
    {
      name: 'arrives changed',
      prepare: async () => {
        await run('push', at('starter'), reference());
        for (const digest of registry.blobs.keys()) registry.blobs.set(digest, Buffer.from('{}'));
      },
      code: 'REGISTRY_DIGEST_MISMATCH',
    },
    {
      name: 'nobody signed',
      prepare: async () => {
        await run('push', at('starter'), reference());
        for (const [name, { bytes }] of registry.manifests) {
          if (bytes.includes('"subject"')) registry.manifests.delete(name);
        }
      },
      code: 'BUNDLE_UNSIGNED',
    },
  ])('writes nothing of a bundle that $name', async ({ prepare, code }) => {
    await prepare();
    const before = readdirSync(workspace.directory);
    expect(await pull()).toMatchObject({ ok: false, error: { code } });
    expect(readdirSync(workspace.directory)).toEqual(before);
  });

  it('names what it passed over when a signature is missing', async () => {
    await run('push', at('starter'), reference());
    for (const [name, { bytes, mediaType }] of [...registry.manifests]) {
      if (!bytes.includes('"subject"')) continue;
      registry.manifests.delete(name);
      // Reformatted, so that it is not in the one form that Vespid writes.
      registry.addManifest(
        mediaType,
        Buffer.from(JSON.stringify(JSON.parse(bytes.toString()), undefined, 2)),
      );
    }
    expect(await pull()).toMatchObject({
      error: {
        code: 'BUNDLE_UNSIGNED',
        hint: expect.stringContaining('passed over: sha256:'),
        details: { ignoredReferrers: [{ reason: expect.stringContaining('not made by Vespid') }] },
      },
    });
  });

  it('leaves what was there when a bundle is refused', async () => {
    await run('push', at('starter'), reference());
    await pull();
    const before = readdirSync(at('out/blobs/sha256'));
    writeFileSync(at('trust.yaml'), trustPolicyText('stranger.pub'));
    expect(await pull()).toMatchObject({ exitCode: 3, error: { code: 'BUNDLE_SIGNER_UNKNOWN' } });
    expect(readdirSync(at('out/blobs/sha256'))).toEqual(before);
  });

  it('does not write over other files', async () => {
    await run('push', at('starter'), reference());
    mkdirSync(at('out'));
    writeFileSync(at('out/precious'), 'x');
    expect(await pull()).toMatchObject({ error: { code: 'BUNDLE_OUTPUT_OCCUPIED' } });
    expect(readdirSync(at('out'))).toEqual(['precious']);
  });

  it('takes a pinned bundle or none', async () => {
    const { digest } = await run('push', at('starter'), reference());
    expect(await pull(`@${digest}`)).toMatchObject({ ok: true, digest });
    expect(await pull(`:1@sha256:${'0'.repeat(64)}`)).toMatchObject({
      error: { code: 'REGISTRY_NOT_FOUND' },
    });
  });

  it('refuses what would take a node back, and leaves its memory as it is', async () => {
    const sign = (version: string) =>
      runVespid(
        ...['sign', at('a.yaml'), '--key', at('ci.key'), '--out', at('starter'), '--bundle-version', version],
      );
    for (const version of ['1.0.0', '2.0.0']) {
      await sign(version);
      await run('push', at('starter'), reference(''));
    }
    const digest = `sha256:${'0'.repeat(64)}`;
    const bundles = new Map([['starter', { version: '1.5.0', digest }]]);
    new StateFile(at('state.json')).update((memory) => ({ ...memory, bundles }));
    const before = readFileSync(at('state.json'));
    const state = ['--state', at('state.json')];
    expect(await pull(':1.0.0', ...state)).toMatchObject({ exitCode: 3, error: { code: 'BUNDLE_ROLLBACK' } });
    expect(existsSync(at('out'))).toBe(false);
    expect(await pull(':2.0.0', ...state)).toMatchObject({ ok: true, version: '2.0.0' });
    expect(readFileSync(at('state.json'))).toEqual(before);
  });

  it('refuses with exit code 2 what is no reference', async () => {
    expect(await run('pull', 'starter', '--trust', at('trust.yaml'), '--out', at('out'))).toMatchObject({
      exitCode: 2,
      error: { code: 'REGISTRY_REFERENCE_INVALID' },
    });
    expect(existsSync(at('out'))).toBe(false);
  });
});
