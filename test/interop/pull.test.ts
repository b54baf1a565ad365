import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MAIN } from '../cli/run-vespid.js';
import { BreakingProxy } from './breaking-proxy.js';
import { DockerRegistry } from './docker-registry.js';
import { fail, SignedBundle, succeed } from './signed-bundle.js';
import { skopeo } from './skopeo.js';

let registry: DockerRegistry;
let made: SignedBundle;
const reference = (host = registry.host) => `${host}/team/sensors:1.0.0`;
const out = () => made.path('pulled');
const pull = (from = reference()) => succeed('pull', from, '--trust', made.trust, '--out', out());

beforeEach(async () => {
  registry = await DockerRegistry.start();
  made = await SignedBundle.create(['ci', 'release']);
  made.requireSigners(['ci']);
  mkdirSync(made.path('docker'));
  vi.stubEnv('DOCKER_CONFIG', made.path('docker'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  made[Symbol.dispose]();
  await registry[Symbol.asyncDispose]();
});

/** Path to content of every file below a directory. */
function contentOf(directory: string): ReadonlyMap<string, string> {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = paths.filter((path) => /^(index\.json|oci-layout|blobs\/sha256\/.+)$/.test(path));
  return new Map(files.map((path) => [path, readFileSync(join(directory, path), 'base64')]));
}

describe('a pulled bundle', () => {
  it('is the pushed one, file for file', async () => {
    const { digest } = await succeed('push', made.bundle, reference());
    expect(await pull()).toMatchObject({ digest, signers: [{ id: 'ci' }] });
    expect(contentOf(out())).toEqual(contentOf(made.bundle));
  });

  it('is the pinned one, wherever the tag points to', async () => {
    const { reference: pinned, digest } = await succeed('push', made.bundle, reference());
    await skopeo(
      'copy',
      '--all',
      '--dest-tls-verify=false',
      `oci:${await otherBundle()}:other`,
      `docker://${reference()}`,
    );
    expect(await pull(String(pinned))).toMatchObject({ digest });
    expect(await pull()).not.toMatchObject({ digest });
    const unknown = `${registry.host}/team/sensors@sha256:${'0'.repeat(64)}`;
    expect(await fail('pull', unknown, '--trust', made.trust, '--out', out())).toMatchObject({
      code: 'REGISTRY_NOT_FOUND',
    });
  });

  /** Another bundle, whose attestation is in the registry already. */
  async function otherBundle(): Promise<string> {
    const directory = made.path('other');
    await succeed('sign', made.path('policy.yaml'), '--key', made.path('ci.key'), '--out', directory);
    await succeed('push', directory, `${registry.host}/team/sensors:other`);
    return directory;
  }

  it('has the signatures of all who pushed, one after the other', async () => {
    await succeed('push', made.bundle, reference());
    made.requireSigners(['ci', 'release']);
    expect(await fail('pull', reference(), '--trust', made.trust, '--out', out())).toMatchObject({
      code: 'BUNDLE_THRESHOLD_NOT_MET',
    });
    expect(existsSync(out())).toBe(false);
    await made.sign('release');
    expect(await succeed('push', made.bundle, reference())).toMatchObject({
      addedAttestations: 1,
      movedTag: false,
    });
    expect(await pull()).toMatchObject({
      signers: expect.arrayContaining([{ id: 'ci', keyId: expect.anything(), kind: 'key' }]),
    });
  });

  it('has the signatures of all who pushed at once, from processes of their own', async () => {
    const signers = ['ci', 'release'];
    const bundleOf = (signer: string) => made.path(`by-${signer}`, 'starter.bundle');
    for (const signer of signers) {
      mkdirSync(made.path(`by-${signer}`));
      await made.sign(signer, bundleOf(signer));
    }
    const processes = signers.map((signer) =>
      promisify(execFile)(process.execPath, [MAIN, 'push', bundleOf(signer), reference()]),
    );
    await Promise.all(processes);
    made.requireSigners(signers);
    expect(Object(await pull()).signers).toHaveLength(2);
  });

  it('comes from a mirror that skopeo made', async () => {
    const { digest } = await succeed('push', made.bundle, reference());
    await using mirror = await DockerRegistry.start();
    const copy = (tag: string) =>
      skopeo(
        ...['copy', '--all', '--src-tls-verify=false', '--dest-tls-verify=false'],
        ...[`docker://${registry.host}/team/sensors:${tag}`, `docker://${mirror.host}/team/sensors:${tag}`],
      );
    await copy('1.0.0');
    expect(await fail('pull', reference(mirror.host), '--trust', made.trust, '--out', out())).toMatchObject({
      code: 'BUNDLE_UNSIGNED',
    });
    await copy(String(digest).replace(':', '-'));
    expect(await pull(reference(mirror.host))).toMatchObject({ digest });
    expect(contentOf(out())).toEqual(contentOf(made.bundle));
  });
});

describe('a registry that dies', () => {
  let proxy: BreakingProxy;
  beforeEach(async () => {
    proxy = await BreakingProxy.start(registry.port);
  });
  afterEach(() => proxy[Symbol.asyncDispose]());

  /** Kills the registry when the request of that number among those of the pattern comes. */
  function dieAt(number: number, pattern: RegExp): void {
    let seen = 0;
    proxy.before = async (line) => {
      if (pattern.test(line) && ++seen === number) await registry.kill();
    };
  }

  it('in the middle of a pull leaves nothing, and the next pull succeeds', async () => {
    await succeed('push', made.bundle, reference());
    dieAt(2, /^GET .*\/blobs\//);
    expect(await fail('pull', reference(proxy.host), '--trust', made.trust, '--out', out())).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: expect.stringContaining(proxy.host),
    });
    expect(readdirSync(made.directory).filter((name) => name.startsWith('pulled'))).toEqual([]);
    await registry.start();
    await pull(reference(proxy.host));
    expect(contentOf(out())).toEqual(contentOf(made.bundle));
  });

  it('in the middle of a push leaves no tag, and the next push goes on', async () => {
    dieAt(2, /^PUT .*\/blobs\/uploads\//);
    expect(await fail('push', made.bundle, reference(proxy.host))).toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
    });
    await registry.start();
    expect(await fail('pull', reference(), '--trust', made.trust, '--out', out())).toMatchObject({
      code: 'REGISTRY_NOT_FOUND',
    });
    expect(await succeed('push', made.bundle, reference(proxy.host))).toMatchObject({ movedTag: true });
    await pull();
  });

  it('for a moment is waited for', async () => {
    let died = false;
    proxy.before = async (line) => {
      if (died || !/^PUT .*\/blobs\/uploads\//.test(line)) return;
      died = true;
      await registry.kill();
      setTimeout(() => void registry.start(), 300);
    };
    await succeed('push', made.bundle, reference(proxy.host));
    await pull();
  });
});
