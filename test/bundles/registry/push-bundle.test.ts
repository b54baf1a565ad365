import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import {
  type PushOptions,
  type PushProgress,
  pushBundle,
} from '../../../engine/bundles/registry/push-bundle.js';
import { parseReference } from '../../../engine/bundles/registry/reference.js';
import { referrersTag } from '../../../engine/bundles/registry/referrers.js';
import { RegistryClient } from '../../../engine/bundles/registry/registry-client.js';
import { RETRY_POLICY } from '../../../engine/bundles/registry/retry.js';
import { type BundleFiles, inspectBundle, MemoryBundle } from '../../../signing/index.js';
import {
  CI_KEY,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  STRANGER_KEY,
  samplePredicate,
  signBundle,
  TWICE_SIGNED,
} from '../../signing/sample-bundle.js';
import { end, MemoryRegistry, type MemoryRegistryOptions } from './memory-registry.js';

const inspect = (files: BundleFiles) => inspectBundle(new MemoryBundle(files));
const { digest } = await inspect(SAMPLE_BUNDLE);
const INDEX = 'application/vnd.oci.image.index.v1+json';
const BY_RELEASE = await signBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, RELEASE_KEY);
const OTHER = await signBundle({ ...SAMPLE_INPUT, objects: [] }, samplePredicate([]), CI_KEY);

let registry: MemoryRegistry;
afterEach(() => registry[Symbol.asyncDispose]());

async function push(files: BundleFiles, options: Partial<PushOptions> = {}) {
  const client = new RegistryClient(parseReference(`${registry.host}/team/sensors:1`), 'pull,push', {
    findCredentials: async () => undefined,
    retry: { ...RETRY_POLICY, sleep: async () => undefined },
  });
  return pushBundle(client, files, { tag: '1', replaceTag: false, ...options });
}

/** What the index at the referrers tag lists. */
function listedByTag(): { readonly digest: string }[] {
  const index = registry.manifests.get(referrersTag(digest));
  return index === undefined ? [] : JSON.parse(index.bytes.toString()).manifests;
}

const variants: [string, MemoryRegistryOptions][] = [
  ['the referrers API', { referrersApi: true }],
  ['a referrers tag', {}],
  ['a referrers tag with conditions', { conditionalPut: true }],
];

describe.each(variants)('to a registry with %s', (_name, options) => {
  beforeEach(async () => {
    registry = await MemoryRegistry.start(options);
  });

  it('brings every blob and manifest, the tag last', async () => {
    const result = await push(SAMPLE_BUNDLE);
    expect(result).toMatchObject({ digest, uploadedBlobs: 6, addedAttestations: 1, movedTag: true });
    const stored = new Set([...registry.manifests.keys(), ...registry.blobs.keys()]);
    const paths = [...SAMPLE_BUNDLE.keys()].filter((path) => path.startsWith('blobs/'));
    expect(paths.filter((path) => !stored.has(path.replace('blobs/sha256/', 'sha256:')))).toEqual([]);
    expect(registry.manifests.get('1')?.bytes).toEqual(registry.manifests.get(digest)?.bytes);
    expect(registry.uploads.at(-1)).toBe('PUT /v2/team/sensors/manifests/1');
  });

  it('sends nothing when it is all there', async () => {
    await push(SAMPLE_BUNDLE);
    const before = registry.uploads.length;
    expect(await push(SAMPLE_BUNDLE)).toEqual({
      ...{ digest, uploadedBlobs: 0, uploadedBytes: 0, addedAttestations: 0, movedTag: false },
    });
    expect(registry.uploads).toHaveLength(before);
  });

  it('adds the attestation of another signer, and nothing else', async () => {
    await push(SAMPLE_BUNDLE);
    const before = registry.uploads.length;
    expect(await push(TWICE_SIGNED)).toMatchObject({
      uploadedBlobs: 1,
      addedAttestations: 1,
      movedTag: false,
    });
    const listed = 'referrersApi' in options ? [] : ['PUT'];
    const methods = registry.uploads.slice(before).map((line) => line.split(' ')[0]);
    expect(methods).toEqual(['POST', 'PUT', 'PUT', ...listed]);
  });

  it('keeps the attestation of a signer who pushed from elsewhere', async () => {
    await push(SAMPLE_BUNDLE);
    await push(BY_RELEASE);
    const known = await referrersOf();
    expect(known).toHaveLength(2);
  });

  it('keeps the attestations of three who push at once', async () => {
    const bundles = await Promise.all(
      [CI_KEY, RELEASE_KEY, STRANGER_KEY].map((key) => signBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, key)),
    );
    await Promise.all(bundles.map((bundle) => push(bundle)));
    expect(await referrersOf()).toHaveLength(3);
  });

  async function referrersOf(): Promise<unknown[]> {
    if (!('referrersApi' in options)) return listedByTag();
    const response = await fetch(`http://${registry.host}/v2/team/sensors/referrers/${digest}`);
    return Object(await response.json()).manifests;
  }
});

describe('the list at the referrers tag', () => {
  beforeEach(async () => {
    registry = await MemoryRegistry.start();
  });

  it('keeps what others put there, every member of it', async () => {
    const sbom = {
      mediaType: 'x/y',
      digest: 'sha512:abc',
      size: 7,
      annotations: { a: 'b' },
      data: 'e30=',
      new: [1],
    };
    const index = { schemaVersion: 2, mediaType: INDEX, manifests: [sbom] };
    registry.addManifest(INDEX, Buffer.from(JSON.stringify(index)), referrersTag(digest));
    await push(SAMPLE_BUNDLE);
    expect(listedByTag()).toEqual([
      sbom,
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: (await inspect(SAMPLE_BUNDLE)).attestations[0]?.digest,
        size: expect.any(Number),
        artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        annotations: expect.objectContaining({ 'dev.sigstore.bundle.content': 'dsse-envelope' }),
      },
    ]);
  });

  test.each([
    ['is no index', 'application/vnd.oci.image.manifest.v1+json', '{}', 'REGISTRY_ANSWER_INVALID'],
    ['is no JSON', INDEX, '{', 'BUNDLE_JSON_MALFORMED'],
    ['has no entries', INDEX, '{}', 'REGISTRY_ANSWER_INVALID'],
    ['has other entries', INDEX, '{"manifests":[7]}', 'REGISTRY_ANSWER_INVALID'],
  ])('that %s is not written over', async (_name, mediaType, text, code) => {
    registry.addManifest(mediaType, Buffer.from(text), referrersTag(digest));
    await expect(push(SAMPLE_BUNDLE)).rejects.toMatchObject({ code });
    expect(registry.manifests.get(referrersTag(digest))?.bytes.toString()).toBe(text);
    expect(registry.manifests.has('1')).toBe(false);
  });

  it('that somebody undoes is written again', async () => {
    let undone = 0;
    registry.intercept = (request, response) => {
      if (request.method !== 'PUT' || !request.url?.endsWith(referrersTag(digest)) || undone === 2)
        return false;
      undone++;
      end(response, 201);
      return true;
    };
    await push(SAMPLE_BUNDLE);
    expect(listedByTag()).toHaveLength(1);
  });
});

describe('a tag', () => {
  beforeEach(async () => {
    registry = await MemoryRegistry.start({ referrersApi: true, conditionalPut: true });
  });

  it('of another bundle is taken only on demand', async () => {
    await push(OTHER);
    const before = registry.uploads.length;
    await expect(push(SAMPLE_BUNDLE)).rejects.toMatchObject({
      code: 'REGISTRY_TAG_TAKEN',
      message: expect.stringContaining((await inspect(OTHER)).digest),
    });
    expect(registry.uploads).toHaveLength(before);
    expect(await push(SAMPLE_BUNDLE, { replaceTag: true })).toMatchObject({ movedTag: true });
    expect(registry.manifests.get('1')).toEqual(registry.manifests.get(digest));
  });

  it('that somebody takes meanwhile stays theirs, where the registry knows conditions', async () => {
    registry.intercept = (request) => {
      if (request.url?.includes('/referrers/')) registry.addManifest('x/y', Buffer.from('{}'), '1');
      return false;
    };
    await expect(push(SAMPLE_BUNDLE)).rejects.toMatchObject({ code: 'REGISTRY_TAG_TAKEN' });
    expect(registry.manifests.get('1')?.bytes.toString()).toBe('{}');
  });

  it('is not needed', async () => {
    expect(await push(SAMPLE_BUNDLE, { tag: undefined })).toMatchObject({ movedTag: false });
    expect([...registry.manifests.keys()].filter((name) => !name.startsWith('sha256:'))).toEqual([]);
  });
});

describe('a push', () => {
  beforeEach(async () => {
    registry = await MemoryRegistry.start({ referrersApi: true });
  });

  it('says how far it is', async () => {
    const seen: PushProgress[] = [];
    await push(SAMPLE_BUNDLE, { onProgress: (progress) => seen.push(progress) });
    expect(seen.map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(seen.at(-1)).toMatchObject({ total: 8 });
  });

  it('that breaks off leaves no tag, and goes on where it was', async () => {
    let puts = 0;
    registry.intercept = (request, response) => {
      if (request.method !== 'PUT' || ++puts <= 3) return false;
      end(response, 403);
      return true;
    };
    await expect(push(SAMPLE_BUNDLE)).rejects.toMatchObject({ code: 'REGISTRY_DENIED' });
    expect(registry.manifests.size).toBe(0);
    registry.intercept = undefined;
    expect(await push(SAMPLE_BUNDLE)).toMatchObject({ uploadedBlobs: 3, movedTag: true });
  });
});
