import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeBundle } from '../../engine/bundles/index.js';
import { inspectBundle, MemoryBundle } from '../../signing/index.js';
import { SAMPLE_BUNDLE, sha256, utf8 } from '../signing/sample-bundle.js';
import { DockerRegistry } from './docker-registry.js';
import { skopeo } from './skopeo.js';

const { name, digest } = await inspectBundle(new MemoryBundle(SAMPLE_BUNDLE));

describe('a bundle directory as an OCI image layout', () => {
  let root = '';
  let bundle = '';

  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'vespid-interop-'));
    bundle = join(root, 'bundle');
    await writeBundle(bundle, SAMPLE_BUNDLE);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it('is read by skopeo under its name', async () => {
    const manifest = await skopeo('inspect', '--raw', `oci:${bundle}:${name}`);
    expect(`sha256:${sha256(utf8(manifest))}`).toBe(digest);
  });

  it('is copied by skopeo to a registry with the same digest', async () => {
    await using registry = await DockerRegistry.start();
    const target = `docker://${registry.host}/team/sensors:1`;
    await skopeo('copy', '--dest-tls-verify=false', `oci:${bundle}:${name}`, target);
    const manifest = await skopeo('inspect', '--raw', '--tls-verify=false', target);
    expect(`sha256:${sha256(utf8(manifest))}`).toBe(digest);
  });
});
