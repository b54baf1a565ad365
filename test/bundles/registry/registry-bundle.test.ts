import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { RecordingBundle } from '../../../engine/bundles/recording-bundle.js';
import { pushBundle } from '../../../engine/bundles/registry/push-bundle.js';
import { formatReference, parseReference } from '../../../engine/bundles/registry/reference.js';
import { referrersTag } from '../../../engine/bundles/registry/referrers.js';
import { RegistryBundle } from '../../../engine/bundles/registry/registry-bundle.js';
import { RegistryClient } from '../../../engine/bundles/registry/registry-client.js';
import { RETRY_POLICY } from '../../../engine/bundles/registry/retry.js';
import {
  BUNDLE_ARTIFACT_TYPE,
  blobPath,
  INDEX_PATH,
  MANIFEST_MEDIA_TYPE,
} from '../../../signing/bundle/oci-layout.js';
import { acceptBundle, type BundleFiles, type TrustPolicy } from '../../../signing/index.js';
import {
  CI_KEY,
  NOW,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  STRANGER_KEY,
  TRUST_CI,
  TWICE_SIGNED,
  trustIn,
  utf8,
} from '../../signing/sample-bundle.js';
import {
  digestOf,
  end,
  type Intercept,
  MemoryRegistry,
  type MemoryRegistryOptions,
} from './memory-registry.js';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const SIGSTORE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

interface ListedManifest {
  readonly artifactType?: unknown;
  readonly digest: string;
  readonly size: number;
}

const manifestsOf = (files: BundleFiles): readonly ListedManifest[] =>
  readJson(files.get(INDEX_PATH)).manifests;
const [{ digest } = { digest: '' }, attestation = { digest: '', size: 0 }] = manifestsOf(SAMPLE_BUNDLE);
const layers: readonly (ListedManifest & { mediaType: string })[] = readJson(
  SAMPLE_BUNDLE.get(blobPath(digest)),
).layers;
const layerPaths = layers.map((layer) => `GET /v2/team/sensors/blobs/${layer.digest}`);

let registry: MemoryRegistry;
beforeEach(async () => {
  registry = await MemoryRegistry.start();
});
afterEach(() => registry[Symbol.asyncDispose]());

function readJson(bytes: Uint8Array | undefined) {
  return JSON.parse(Buffer.from(bytes ?? []).toString());
}

function clientOf(host: string): RegistryClient {
  return new RegistryClient(parseReference(`${host}/team/sensors:1`), 'pull,push', {
    findCredentials: async () => undefined,
    retry: { ...RETRY_POLICY, sleep: async () => undefined },
    timing: { answerMs: 300, minBytesPerSecond: 1024 * 1024 },
  });
}

const push = (files: BundleFiles) =>
  pushBundle(clientOf(registry.host), files, { tag: '1', replaceTag: true });

/** Pulls into memory, as the command does before it writes; forgets the requests of before. */
async function pull(options: { trust?: TrustPolicy; tag?: string; digest?: string } = {}) {
  registry.requests.length = 0;
  const { trust = TRUST_CI, tag = '1', digest: pinned } = options;
  const reference = { registry: registry.host, repository: 'team/sensors', tag, digest: pinned };
  const remote = await RegistryBundle.open(clientOf(registry.host), reference);
  const source = new RecordingBundle(remote);
  const accepted = await acceptBundle(source, trust, NOW);
  for await (const _ of accepted.files());
  return { files: await source.recorded(), ignored: remote.ignored, label: source.label };
}

const variants: [string, MemoryRegistryOptions][] = [
  ['the referrers API', { referrersApi: true }],
  ['a referrers tag', {}],
];

describe.each(variants)('a bundle in a registry with %s', (_name, options) => {
  beforeEach(async () => {
    await registry[Symbol.asyncDispose]();
    registry = await MemoryRegistry.start(options);
  });

  it('comes back byte for byte', async () => {
    await push(SAMPLE_BUNDLE);
    expect((await pull()).files).toEqual(SAMPLE_BUNDLE);
    expect((await pull({ digest })).files).toEqual(SAMPLE_BUNDLE);
  });

  it('comes back with the signatures of all who pushed', async () => {
    await push(SAMPLE_BUNDLE);
    await push(TWICE_SIGNED);
    const trust = trustIn({ ci: CI_KEY, release: RELEASE_KEY }, 2);
    expect((await pull({ trust })).files).toEqual(TWICE_SIGNED);
  });

  it('is not fetched when nobody trusted signed it', async () => {
    await push(SAMPLE_BUNDLE);
    await expect(pull({ trust: trustIn({ x: STRANGER_KEY }) })).rejects.toMatchObject({
      code: 'BUNDLE_SIGNER_UNKNOWN',
      exitCode: 3,
    });
    expect(registry.requests.filter((line) => layerPaths.includes(line))).toEqual([]);
  });

  it('has its files fetched once each, after everything else', async () => {
    await push(SAMPLE_BUNDLE);
    await pull();
    expect(registry.requests.slice(-layerPaths.length).sort()).toEqual([...layerPaths].sort());
    const gets = registry.requests.filter((line) => line.startsWith('GET '));
    expect(new Set(gets).size).toBe(gets.length);
  });

  it('is read beside what other tools attach', async () => {
    await push(SAMPLE_BUNDLE);
    const foreign = [
      attach({ artifactType: 'application/spdx+json', layers: [] }),
      attach({
        artifactType: SIGSTORE,
        layers: [],
        annotations: { 'dev.sigstore.bundle.predicateType': 'x' },
      }),
    ];
    if (!('referrersApi' in options)) listAtTag(attestation, ...foreign);
    const { files, ignored } = await pull();
    expect(files).toEqual(SAMPLE_BUNDLE);
    // The API leaves out what was not asked for.
    const seen = 'referrersApi' in options ? foreign.slice(1) : foreign;
    expect(ignored.map((one) => one.digest).sort()).toEqual(seen.map((one) => one.digest).sort());
  });
});

/** Stores a manifest that refers to the bundle, as another tool would. */
function attach(members: Readonly<Record<string, unknown>>): ListedManifest {
  const subject = {
    mediaType: MANIFEST_MEDIA_TYPE,
    digest,
    size: SAMPLE_BUNDLE.get(blobPath(digest))?.length,
  };
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf(utf8('{}')), size: 2 };
  const manifest = { schemaVersion: 2, mediaType: MANIFEST_MEDIA_TYPE, config, subject, ...members };
  const bytes = utf8(JSON.stringify(manifest, undefined, 1));
  registry.addManifest(MANIFEST_MEDIA_TYPE, bytes);
  return { digest: digestOf(bytes), size: bytes.length, artifactType: members['artifactType'] };
}

/** Replaces the list at the referrers tag. */
function listAtTag(...entries: readonly ListedManifest[]): void {
  const manifests = entries.map((entry) => ({
    mediaType: MANIFEST_MEDIA_TYPE,
    artifactType: SIGSTORE,
    ...entry,
  }));
  const index = { schemaVersion: 2, mediaType: INDEX, manifests };
  registry.addManifest(INDEX, Buffer.from(JSON.stringify(index)), referrersTag(digest));
}

describe('a hostile registry', () => {
  beforeEach(() => push(SAMPLE_BUNDLE));

  /** Answers one path with other content, everything else honestly. */
  const replace =
    (path: string, body: Uint8Array, headers: Record<string, string> = {}): Intercept =>
    (request, response) => {
      if (request.url !== `/v2/team/sensors/${path}`) return false;
      response.writeHead(200, { 'content-type': MANIFEST_MEDIA_TYPE, ...headers }).end(body);
      return true;
    };
  const otherManifest = utf8(JSON.stringify({ schemaVersion: 2 }));

  test.each<{ name: string; intercept: () => Intercept; code: string; pinned?: boolean }>([
    {
      name: 'another manifest for the pinned digest',
      intercept: () => replace(`manifests/${digest}`, otherManifest),
      code: 'REGISTRY_DIGEST_MISMATCH',
      pinned: true,
    },
    {
      name: 'another manifest for the tag under the same digest',
      intercept: () => replace('manifests/1', otherManifest, { 'docker-content-digest': digest }),
      code: 'REGISTRY_DIGEST_MISMATCH',
    },
    {
      name: 'another manifest for the tag',
      intercept: () => replace('manifests/1', otherManifest),
      code: 'BUNDLE_DOCUMENT_INVALID',
    },
    {
      name: 'an image for the tag',
      intercept: () => replace('manifests/1', otherManifest, { 'content-type': INDEX }),
      code: 'BUNDLE_NOT_A_BUNDLE',
    },
    {
      name: 'no manifest',
      intercept: () => (request, response) => {
        if (request.url?.endsWith('manifests/1') !== true) return false;
        end(response, 404);
        return true;
      },
      code: 'REGISTRY_NOT_FOUND',
    },
    {
      name: 'other bytes for a file',
      intercept: () => replace(`blobs/${layers[0]?.digest}`, Buffer.alloc(layers[0]?.size ?? 0)),
      code: 'REGISTRY_DIGEST_MISMATCH',
    },
    {
      name: 'more bytes for a file',
      intercept: () => replace(`blobs/${layers[0]?.digest}`, Buffer.alloc(2 ** 20)),
      code: 'REGISTRY_ANSWER_TOO_LARGE',
    },
    {
      name: 'another attestation under the digest of ours',
      intercept: () => replace(`manifests/${attestation.digest}`, otherManifest),
      code: 'REGISTRY_DIGEST_MISMATCH',
    },
    {
      name: 'a file that never ends',
      intercept: () => (request, response) => {
        if (request.url?.endsWith(layers[0]?.digest ?? '') !== true) return false;
        response.writeHead(200).write('x');
        return true;
      },
      code: 'REGISTRY_UNREACHABLE',
    },
  ])('that gives $name is refused', async ({ intercept, code, pinned }) => {
    registry.intercept = intercept();
    await expect(pull(pinned === true ? { digest } : {})).rejects.toMatchObject({ code });
  });

  it('that moves the tag meanwhile changes nothing', async () => {
    registry.intercept = (request) => {
      if (request.url?.includes('/blobs/')) registry.addManifest(MANIFEST_MEDIA_TYPE, otherManifest, '1');
      return false;
    };
    expect((await pull()).files).toEqual(SAMPLE_BUNDLE);
    expect(registry.requests.filter((line) => line.endsWith('/manifests/1'))).toHaveLength(1);
  });

  it('that changes a file after it was read is not asked again', async () => {
    const counts = new Map<string, number>();
    registry.intercept = (request, response) => {
      const count = (counts.get(request.url ?? '') ?? 0) + 1;
      counts.set(request.url ?? '', count);
      if (count > 1) end(response, 500);
      return count > 1;
    };
    expect((await pull()).files).toEqual(SAMPLE_BUNDLE);
  });

  test.each<{ name: string; entries: () => readonly ListedManifest[]; reason: RegExp }>([
    {
      name: 'an attestation that is not there',
      entries: () => [{ digest: digestOf(utf8('x')), size: 1 }],
      reason: /not in the registry/,
    },
    {
      name: 'the bundle itself as its attestation',
      entries: () => [{ digest, size: SAMPLE_BUNDLE.get(blobPath(digest))?.length ?? 0 }],
      reason: /not made by Vespid/,
    },
    {
      name: 'an attestation by another algorithm',
      entries: () => [{ digest: `sha512:${'0'.repeat(128)}`, size: 1 }],
      reason: /another digest/,
    },
  ])('that lists $name gives a bundle without signatures', async ({ entries, reason }) => {
    listAtTag(...entries());
    await expect(pull()).rejects.toMatchObject({ code: 'BUNDLE_UNSIGNED' });
    listAtTag(attestation, ...entries());
    const { files, ignored } = await pull();
    expect(files).toEqual(SAMPLE_BUNDLE);
    expect(ignored.map((one) => one.reason)).toEqual([expect.stringMatching(reason)]);
  });

  it('that lists an attestation with another size gives it as it is', async () => {
    listAtTag({ ...attestation, size: attestation.size + 1 });
    expect((await pull()).files).toEqual(SAMPLE_BUNDLE);
  });

  it('that lists attestations without their types, as a mirror may, is read', async () => {
    listAtTag({ ...attestation, artifactType: undefined });
    expect((await pull()).files).toEqual(SAMPLE_BUNDLE);
  });

  it('that lists one attestation many times gives it once', async () => {
    listAtTag(...Array.from({ length: 20 }, () => attestation));
    expect((await pull()).files).toEqual(SAMPLE_BUNDLE);
  });

  it('that lists attestations without end is refused', async () => {
    listAtTag(...Array.from({ length: 65 }, (_, at) => ({ digest: digestOf(utf8(`${at}`)), size: 1 })));
    await expect(pull()).rejects.toMatchObject({ code: 'BUNDLE_TOO_LARGE' });
    expect(registry.requests).toHaveLength(4);
  });

  test.each([
    ['a huge file', 2 ** 40],
    ['a file beyond the limit', 16 * 2 ** 20 + 1],
  ])('that announces %s is not asked for it', async (_name, size) => {
    const manifest = readJson(SAMPLE_BUNDLE.get(blobPath(digest)));
    manifest.layers[0].size = size;
    registry.addManifest(MANIFEST_MEDIA_TYPE, utf8(JSON.stringify(manifest)), '1');
    await expect(pull()).rejects.toMatchObject({ code: 'BUNDLE_TOO_LARGE' });
    expect(registry.requests.filter((line) => layerPaths.includes(line))).toEqual([]);
  });

  it('that announces a huge config is not asked for it', async () => {
    const manifest = readJson(SAMPLE_BUNDLE.get(blobPath(digest)));
    manifest.config.size = 2 ** 30;
    registry.addManifest(MANIFEST_MEDIA_TYPE, utf8(JSON.stringify(manifest)), '1');
    await expect(pull()).rejects.toMatchObject({ code: 'BUNDLE_TOO_LARGE' });
    expect(registry.requests).toHaveLength(1);
  });
});

describe('a reference', () => {
  it('needs a tag or a digest', async () => {
    const reference = parseReference(`${registry.host}/team/sensors`);
    await expect(RegistryBundle.open(clientOf(registry.host), reference)).rejects.toMatchObject({
      code: 'REGISTRY_REFERENCE_INVALID',
    });
    expect(registry.requests).toEqual([]);
  });

  it('with a digest is not moved by its tag', async () => {
    await push(SAMPLE_BUNDLE);
    registry.addManifest(MANIFEST_MEDIA_TYPE, utf8(`{"artifactType":"${BUNDLE_ARTIFACT_TYPE}"}`), '1');
    const { files, label } = await pull({ digest });
    expect(files).toEqual(SAMPLE_BUNDLE);
    expect(label).toBe(
      formatReference({ registry: registry.host, repository: 'team/sensors', tag: '1', digest }),
    );
  });
});
