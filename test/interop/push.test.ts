import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestOf } from '../bundles/registry/memory-registry.js';
import { DockerRegistry } from './docker-registry.js';
import { fail, SignedBundle, succeed } from './signed-bundle.js';
import { skopeo } from './skopeo.js';
import { TokenServer } from './token-server.js';

const PASSWORD = 'correct horse';

let registry: DockerRegistry;
let made: SignedBundle;
const reference = () => `${registry.host}/team/sensors:1.0.0`;
const push = () => succeed('push', made.bundle, reference());

beforeEach(async () => {
  made = await SignedBundle.create();
  mkdirSync(made.path('docker'));
  vi.stubEnv('DOCKER_CONFIG', made.path('docker'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  made[Symbol.dispose]();
  await registry[Symbol.asyncDispose]();
});

describe('a pushed bundle', () => {
  beforeEach(async () => {
    registry = await DockerRegistry.start();
  });

  it('is an image that skopeo reads and copies', async () => {
    const { digest, reference: pinned } = await push();
    expect(pinned).toBe(`${registry.host}/team/sensors@${digest}`);
    const manifest = await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${reference()}`);
    expect(digestOf(Buffer.from(manifest))).toBe(digest);
    await skopeo('copy', '--src-tls-verify=false', `docker://${pinned}`, `oci:${made.path('copy')}:starter`);
    const hex = String(digest).replace('sha256:', 'blobs/sha256/');
    expect(readFileSync(made.path('copy', hex))).toEqual(readFileSync(made.path('starter.bundle', hex)));
  });

  it("has bpfman's labels in its config", async () => {
    await push();
    const config = await skopeo(
      'inspect',
      '--config',
      '--raw',
      '--tls-verify=false',
      `docker://${reference()}`,
    );
    const { Labels: labels } = JSON.parse(config).config;
    expect(Object.keys(JSON.parse(labels['io.ebpf.programs']))).toContain('file_open_lsm');
    expect(JSON.parse(labels['io.ebpf.maps'])).toBeTypeOf('object');
  });

  it('is not sent twice', async () => {
    await push();
    const uploads = () => registry.log.match(/"(POST|PUT|PATCH) /g)?.length;
    const before = uploads();
    expect(before).toBeGreaterThan(0);
    expect(await push()).toMatchObject({
      uploadedBlobs: 0,
      uploadedBytes: 0,
      addedAttestations: 0,
      movedTag: false,
    });
    expect(uploads()).toBe(before);
  });
});

describe('a registry with passwords', () => {
  beforeEach(async () => {
    const htpasswd = execFileSync('htpasswd', ['-nbB', 'ci', PASSWORD], { encoding: 'utf8' });
    registry = await DockerRegistry.start({ htpasswd });
  });

  it('is pushed to after a login of another tool', async () => {
    expect(await fail('push', made.bundle, reference())).toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringContaining('no credentials were found'),
      hint: expect.stringContaining(`docker login ${registry.host}`),
    });
    const authfile = made.path('docker', 'config.json');
    await skopeo(
      'login',
      '--tls-verify=false',
      '--authfile',
      authfile,
      '-u',
      'ci',
      '-p',
      PASSWORD,
      registry.host,
    );
    expect(await push()).toMatchObject({ movedTag: true });
  });
});

describe('a registry with tokens', () => {
  it('is pushed to with one of its token server', async () => {
    await using tokens = await TokenServer.start(made.directory, { ci: PASSWORD });
    registry = await DockerRegistry.start({ token: tokens.description });
    expect(await fail('push', made.bundle, reference())).toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    tokens.writeLogin(made.path('docker', 'config.json'), registry.host, 'ci', PASSWORD);
    expect(await push()).toMatchObject({ movedTag: true });
    expect(tokens.granted).toEqual(['repository:team/sensors:pull,push']);
  });
});
