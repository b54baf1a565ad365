import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import { parseReference } from '../../../engine/bundles/registry/reference.js';
import { listReferrers, referrersIndex, referrersTag } from '../../../engine/bundles/registry/referrers.js';
import { RegistryClient } from '../../../engine/bundles/registry/registry-client.js';
import { RETRY_POLICY } from '../../../engine/bundles/registry/retry.js';
import { VespidError } from '../../../engine/errors/index.js';
import { MemoryRegistry } from './memory-registry.js';

const INDEX = 'application/vnd.oci.image.index.v1+json';
const TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const SUBJECT = `sha256:${'0'.repeat(64)}`;

let registry: MemoryRegistry;
beforeEach(async () => {
  registry = await MemoryRegistry.start();
});
afterEach(() => registry[Symbol.asyncDispose]());

function list() {
  const client = new RegistryClient(parseReference(`${registry.host}/team/sensors:1`), 'pull', {
    findCredentials: async () => undefined,
    retry: { ...RETRY_POLICY, sleep: async () => undefined },
  });
  return listReferrers(client, SUBJECT, TYPE);
}

const entry = (at: number) => ({
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  digest: `sha256:${at.toString(16).padStart(64, '0')}`,
  size: 10,
  artifactType: TYPE,
});
const index = (...manifests: unknown[]) => JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests });

/** Answers the referrers API with a page for each query, and counts them. */
function answerPages(
  page: (at: number) => { readonly body: string; readonly link?: string; readonly type?: string },
) {
  const asked: string[] = [];
  registry.intercept = (request, response) => {
    if (request.url?.includes('/referrers/') !== true) return false;
    asked.push(request.url);
    const { body, link, type = INDEX } = page(asked.length);
    response.writeHead(200, { 'content-type': type, ...(link === undefined ? {} : { link }) }).end(body);
    return true;
  };
  return asked;
}

describe('the referrers API', () => {
  it('is asked for our type of artifact, page by page', async () => {
    const asked = answerPages((at) => ({
      body: index(entry(at)),
      ...(at < 3 ? { link: `</v2/team/sensors/referrers/${SUBJECT}?page=${at + 1}>; rel="next"` } : {}),
    }));
    const { kind, referrers } = await list();
    expect(kind).toBe('api');
    expect(referrers.map(({ digest }) => digest)).toEqual([1, 2, 3].map((at) => entry(at).digest));
    expect(asked[0]).toContain(`?artifactType=${encodeURIComponent(TYPE)}`);
  });

  test.each<{ name: string; page: Parameters<typeof answerPages>[0]; code: string }>([
    {
      name: 'pages without end',
      page: () => ({ body: index(), link: '</v2/team/sensors/referrers/x?p>; rel=next' }),
      code: 'REGISTRY_ANSWER_INVALID',
    },
    {
      name: 'entries without end',
      page: () => ({ body: index(...Array.from({ length: 600 }, (_, at) => entry(at))) }),
      code: 'REGISTRY_ANSWER_INVALID',
    },
    {
      name: 'its next page on another host',
      page: () => ({ body: index(), link: '<http://127.0.0.1:9/v2/x>; rel="next"' }),
      code: 'REGISTRY_ANSWER_INVALID',
    },
    {
      name: 'its next page over plain http on the network',
      page: () => ({ body: index(), link: '<http://registry.example/v2/x>; rel="next"' }),
      code: 'REGISTRY_INSECURE',
    },
    { name: 'a huge page', page: () => ({ body: ' '.repeat(2 ** 21) }), code: 'REGISTRY_ANSWER_TOO_LARGE' },
    { name: 'no JSON', page: () => ({ body: '<html>' }), code: 'BUNDLE_JSON_MALFORMED' },
    { name: 'deep JSON', page: () => ({ body: '['.repeat(100_000) }), code: 'BUNDLE_JSON_LIMIT' },
    { name: 'a list', page: () => ({ body: '[]' }), code: 'REGISTRY_ANSWER_INVALID' },
    { name: 'no entries', page: () => ({ body: '{}' }), code: 'REGISTRY_ANSWER_INVALID' },
    { name: 'null for an entry', page: () => ({ body: index(null) }), code: 'REGISTRY_ANSWER_INVALID' },
    {
      name: 'no digest',
      page: () => ({ body: index({ ...entry(1), digest: 7 }) }),
      code: 'REGISTRY_ANSWER_INVALID',
    },
    {
      name: 'a negative size',
      page: () => ({ body: index({ ...entry(1), size: -1 }) }),
      code: 'REGISTRY_ANSWER_INVALID',
    },
  ])('that gives $name is refused', async ({ page, code }) => {
    answerPages(page);
    await expect(list()).rejects.toMatchObject({ code, hint: expect.any(String) });
  });

  test.each([
    ['is missing', 404, INDEX],
    ['is not allowed', 405, INDEX],
    ['answers with a page for people', 200, 'text/html'],
  ])('that %s gives way to the tag', async (_name, status, type) => {
    registry.addManifest(INDEX, Buffer.from(index(entry(1))), referrersTag(SUBJECT));
    registry.intercept = (request, response) => {
      if (request.url?.includes('/referrers/') !== true) return false;
      response.writeHead(status, { 'content-type': type }).end('<html>');
      return true;
    };
    expect(await list()).toMatchObject({ kind: 'tag', exists: true, referrers: [entry(1)] });
  });
});

describe('the referrers tag', () => {
  it('may be absent', async () => {
    expect(await list()).toMatchObject({ kind: 'tag', exists: false, referrers: [] });
  });

  it('that holds an image is refused', async () => {
    registry.addManifest(
      'application/vnd.oci.image.manifest.v1+json',
      Buffer.from('{}'),
      referrersTag(SUBJECT),
    );
    await expect(list()).rejects.toMatchObject({ code: 'REGISTRY_ANSWER_INVALID' });
  });

  it('gives back the entries that were put there, as they were', async () => {
    const members = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.maxSafeInteger(), fc.boolean()));
    const entries = fc.array(
      members.map((more) => ({ ...more, ...entry(1) })),
      { maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(entries, async (values) => {
        // Strings of fast-check are whole code points, and __proto__ is a member like any other in JSON.
        const stored = JSON.stringify({ manifests: values });
        registry.addManifest(INDEX, Buffer.from(stored), referrersTag(SUBJECT));
        const { referrers } = await list();
        expect(JSON.parse(Buffer.from(referrersIndex(referrers)).toString()).manifests).toEqual(
          JSON.parse(stored).manifests,
        );
      }),
      { numRuns: 25 },
    );
  });

  it('gives a documented error, or a list, for any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(`{"manifests":${text}}`)),
        ),
        async (bytes) => {
          registry.addManifest(INDEX, bytes, referrersTag(SUBJECT));
          await list().catch((error: unknown) => expect(error).toBeInstanceOf(VespidError));
        },
      ),
      { numRuns: 50 },
    );
  });
});
