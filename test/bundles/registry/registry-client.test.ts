import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { Credentials } from '../../../engine/bundles/registry/credentials.js';
import { parseReference } from '../../../engine/bundles/registry/reference.js';
import {
  RegistryClient,
  type RegistryClientOptions,
} from '../../../engine/bundles/registry/registry-client.js';
import { RETRY_POLICY } from '../../../engine/bundles/registry/retry.js';
import { utf8 } from '../../signing/sample-bundle.js';
import { digestOf, end, MemoryRegistry } from './memory-registry.js';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const BYTES = utf8('{"schemaVersion":2}');
const BLOB = utf8('a blob');

let registry: MemoryRegistry;
let delaysMs: number[];

beforeEach(async () => {
  registry = await MemoryRegistry.start();
  delaysMs = [];
});
afterEach(() => registry[Symbol.asyncDispose]());

/** A client that does not really wait between its attempts. */
function client(options: Partial<RegistryClientOptions> = {}, action: 'pull' | 'pull,push' = 'pull,push') {
  return new RegistryClient(parseReference(`${registry.host}/team/sensors:1`), action, {
    findCredentials: async () => undefined,
    retry: { ...RETRY_POLICY, sleep: async (delayMs) => delaysMs.push(delayMs), random: () => 0 },
    timing: { answerMs: 300, minBytesPerSecond: 1024 * 1024 },
    ...options,
  });
}

const password: Credentials = {
  kind: 'password',
  username: 'ci',
  password: 'hunter2',
  source: 'the entry in X',
};
const as = (credentials: Credentials) => ({ findCredentials: async () => credentials });

describe('content', () => {
  it('comes back as it was stored', async () => {
    await client().putBlob(digestOf(BLOB), BLOB);
    expect(await client().hasBlob(digestOf(BLOB))).toBe(true);
    expect(await client().getBlob(digestOf(BLOB), BLOB.length)).toEqual(BLOB);
    expect(await client().putManifest('1', MANIFEST, BYTES)).toBe('stored');
    expect(await client().headManifest('1')).toBe(digestOf(BYTES));
    const manifest = { bytes: BYTES, digest: digestOf(BYTES), mediaType: MANIFEST };
    expect(await client().getManifest('1')).toMatchObject(manifest);
    expect(await client().getManifest(digestOf(BYTES))).toMatchObject(manifest);
  });

  it('may be absent', async () => {
    expect(await client().hasBlob(digestOf(BLOB))).toBe(false);
    expect(await client().getManifest('1')).toBeUndefined();
    expect(await client().headManifest('1')).toBeUndefined();
    await expect(client().getBlob(digestOf(BLOB), 1)).rejects.toMatchObject({ code: 'REGISTRY_NOT_FOUND' });
  });

  it('is stored once by conditions, where the registry knows them', async () => {
    await using strict = await MemoryRegistry.start({ conditionalPut: true });
    const to = new RegistryClient(parseReference(`${strict.host}/a:1`), 'pull,push', as(password));
    expect(await to.putManifest('1', MANIFEST, BYTES, { 'if-none-match': '*' })).toBe('stored');
    expect(await to.putManifest('1', MANIFEST, BYTES, { 'if-none-match': '*' })).toBe('condition-failed');
    const { etag = '' } = (await to.getManifest('1')) ?? {};
    expect(await to.putManifest('1', MANIFEST, utf8('{}'), { 'if-match': etag })).toBe('stored');
    expect(await to.putManifest('1', MANIFEST, BYTES, { 'if-match': etag })).toBe('condition-failed');
  });
});

/** Answers every request with the given body, headers and status. */
const answerWith =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200) =>
  (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, headers).end(body);
    return true;
  };

describe('a hostile registry', () => {
  test.each<{ name: string; intercept: MemoryRegistry['intercept']; code: string }>([
    { name: 'other bytes', intercept: answerWith('b blob'), code: 'REGISTRY_DIGEST_MISMATCH' },
    { name: 'fewer bytes', intercept: answerWith('a'), code: 'REGISTRY_DIGEST_MISMATCH' },
    { name: 'one byte more', intercept: answerWith('a blob!'), code: 'REGISTRY_ANSWER_TOO_LARGE' },
    {
      name: 'the announcement of more bytes',
      intercept: answerWith('', { 'content-length': String(2 ** 40) }),
      code: 'REGISTRY_ANSWER_TOO_LARGE',
    },
    {
      name: 'a body without end',
      intercept: (_request, response) => {
        response.writeHead(200);
        const pump = () => {
          while (!response.destroyed && response.write('x'.repeat(65536)));
        };
        response.on('drain', pump);
        pump();
        return true;
      },
      code: 'REGISTRY_ANSWER_TOO_LARGE',
    },
    {
      name: 'compressed content that was not asked for',
      intercept: answerWith(gzipSync(Buffer.alloc(2 ** 24)), { 'content-encoding': 'gzip' }),
      code: 'REGISTRY_ANSWER_TOO_LARGE',
    },
    {
      name: 'no answer',
      intercept: () => true,
      code: 'REGISTRY_UNREACHABLE',
    },
    {
      name: 'a byte now and then',
      intercept: (_request, response) => {
        response.writeHead(200, { 'content-length': '6' });
        const timer = setInterval(() => response.write('a'), 100);
        response.on('close', () => clearInterval(timer));
        return true;
      },
      code: 'REGISTRY_UNREACHABLE',
    },
    {
      name: 'a redirect to itself, for ever',
      intercept: (request, response) => {
        end(response, 307, { location: request.url ?? '' });
        return true;
      },
      code: 'REGISTRY_ANSWER_INVALID',
    },
    {
      name: 'a redirect to plain http on the network',
      intercept: answerWith('', { location: 'http://registry.example/x' }, 307),
      code: 'REGISTRY_INSECURE',
    },
    {
      name: 'a redirect to a file',
      intercept: answerWith('', { location: 'file:///etc/shadow' }, 307),
      code: 'REGISTRY_INSECURE',
    },
    {
      name: 'a redirect with user information',
      intercept: answerWith('', { location: 'https://a:b@registry.example/' }, 307),
      code: 'REGISTRY_ANSWER_INVALID',
    },
    { name: 'a redirect to nowhere', intercept: answerWith('', {}, 307), code: 'REGISTRY_REFUSED' },
    { name: 'a status of its own', intercept: answerWith('', {}, 418), code: 'REGISTRY_REFUSED' },
  ])('that answers a blob with $name is refused', async ({ intercept, code }) => {
    const digest = registry.addBlob(BLOB);
    registry.intercept = intercept;
    await expect(client().getBlob(digest, BLOB.length)).rejects.toMatchObject({
      code,
      hint: expect.any(String),
    });
  });

  test.each<{ name: string; intercept: MemoryRegistry['intercept']; code: string }>([
    {
      name: 'other bytes for the digest',
      intercept: answerWith('{}', { 'content-type': MANIFEST }),
      code: 'REGISTRY_DIGEST_MISMATCH',
    },
    {
      name: 'a digest of other bytes',
      intercept: answerWith(Buffer.from(BYTES), { 'docker-content-digest': digestOf(BLOB) }),
      code: 'REGISTRY_DIGEST_MISMATCH',
    },
    { name: 'too many bytes', intercept: answerWith('x'.repeat(2 ** 21)), code: 'REGISTRY_ANSWER_TOO_LARGE' },
  ])('that answers a manifest with $name is refused', async ({ intercept, code }) => {
    const digest = registry.addManifest(MANIFEST, BYTES, '1');
    registry.intercept = intercept;
    await expect(client().getManifest(digest)).rejects.toMatchObject({ code });
  });

  test.each([
    ['nowhere', undefined, 'REGISTRY_ANSWER_INVALID'],
    ['plain http on the network', 'http://store.example/upload', 'REGISTRY_INSECURE'],
  ])('that sends an upload to %s is refused', async (_name, location, code) => {
    registry.intercept = answerWith('', location === undefined ? {} : { location }, 202);
    await expect(client().putBlob(digestOf(BLOB), BLOB)).rejects.toMatchObject({ code });
  });
});

describe('a failure that passes', () => {
  /** Fails the first `count` requests that the pattern fits. */
  function failFirst(count: number, pattern: RegExp, fail: (response: ServerResponse) => void): void {
    let left = count;
    registry.intercept = (request, response) => {
      if (left === 0 || !pattern.test(`${request.method} ${request.url}`)) return false;
      left--;
      fail(response);
      return true;
    };
  }

  test.each<[string, (response: ServerResponse) => void]>([
    ['429', (response) => end(response, 429)],
    ['500', (response) => end(response, 500)],
    ['503', (response) => end(response, 503)],
    ['a reset connection', (response) => response.destroy()],
  ])('is waited for: %s', async (_name, fail) => {
    const digest = registry.addBlob(BLOB);
    failFirst(3, /^GET/, fail);
    expect(await client().getBlob(digest, BLOB.length)).toEqual(BLOB);
    expect(delaysMs).toEqual([125, 250, 500]);
  });

  it('is not waited for without end', async () => {
    failFirst(100, /^GET/, (response) => end(response, 503));
    await expect(client().getManifest('1')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(registry.requests).toHaveLength(RETRY_POLICY.attempts);
  });

  test.each([
    ['seconds', '7', 7000],
    ['a date that is past', 'Wed, 21 Oct 2015 07:28:00 GMT', 125],
    ['nonsense', 'soon', 125],
  ])('is waited for as long as Retry-After says in %s', async (_name, header, expectedMs) => {
    failFirst(1, /^GET/, (response) => end(response, 429, { 'retry-after': header }));
    await client().getManifest('1');
    expect(delaysMs).toEqual([expectedMs]);
  });

  it('of an hour is a failure', async () => {
    failFirst(1, /^GET/, (response) => end(response, 429, { 'retry-after': '3600' }));
    await expect(client().getManifest('1')).rejects.toMatchObject({ code: 'REGISTRY_UNAVAILABLE' });
    expect(delaysMs).toEqual([]);
  });

  it('in the middle of an upload starts it again', async () => {
    failFirst(1, /^PUT/, (response) => response.destroy());
    await client().putBlob(digestOf(BLOB), BLOB);
    expect(registry.uploads.map((line) => line.split(' ')[0])).toEqual(['POST', 'PUT', 'POST', 'PUT']);
    expect(registry.blobs.has(digestOf(BLOB))).toBe(true);
  });

  it('of the whole registry says that it cannot be reached', async () => {
    const gone = await MemoryRegistry.start();
    const { host } = gone;
    await gone[Symbol.asyncDispose]();
    const options = { ...as(password), retry: { ...RETRY_POLICY, sleep: async () => undefined } };
    const failure = new RegistryClient(parseReference(`${host}/a:1`), 'pull', options).getManifest('1');
    await expect(failure).rejects.toMatchObject({
      code: 'REGISTRY_UNREACHABLE',
      message: `${host} cannot be reached: ECONNREFUSED`,
    });
  });
});

describe('authorization', () => {
  const basicHeader = `Basic ${Buffer.from('ci:hunter2').toString('base64')}`;

  /** Asks for a password, and lets in whoever has one of the headers. */
  function demand(challenge: string, ...accepted: string[]): void {
    registry.intercept = (request, response) => {
      if (accepted.includes(request.headers.authorization ?? '')) return false;
      end(response, 401, { 'www-authenticate': challenge });
      return true;
    };
  }

  it('is sent only when it is asked for, and then at once', async () => {
    demand('Basic realm="x"', basicHeader);
    const one = client(as(password));
    await one.hasBlob(digestOf(BLOB));
    await one.hasBlob(digestOf(BLOB));
    expect(registry.authorizations).toEqual([undefined, basicHeader, basicHeader]);
  });

  it('that is refused is said with its source, and without its secret', async () => {
    demand('Basic realm="x"');
    const failure = await client(as(password))
      .hasBlob(digestOf(BLOB))
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringContaining('tried the entry in X'),
      hint: expect.stringContaining(`docker login ${registry.host}`),
    });
    expect(JSON.stringify(failure)).not.toMatch(/hunter2|Y2k6/);
    expect(registry.requests).toHaveLength(2);
  });

  it('that is missing is said', async () => {
    demand('Basic realm="x"');
    await expect(client().hasBlob(digestOf(BLOB))).rejects.toMatchObject({
      code: 'REGISTRY_UNAUTHORIZED',
      message: expect.stringContaining('no credentials were found'),
    });
  });

  it('is not sent to where a redirect leads', async () => {
    await using store = await MemoryRegistry.start();
    store.intercept = answerWith(Buffer.from(BLOB));
    registry.intercept = (request, response) => {
      if (request.headers.authorization === undefined) {
        end(response, 401, { 'www-authenticate': 'Basic realm="x"' });
      } else end(response, 307, { location: `http://${store.host}/blob?signature=s` });
      return true;
    };
    expect(await client(as(password)).getBlob(digestOf(BLOB), BLOB.length)).toEqual(BLOB);
    expect(store.authorizations).toEqual([undefined]);
  });

  it('is not given to another host that asks for it', async () => {
    await using store = await MemoryRegistry.start();
    store.intercept = answerWith('', { 'www-authenticate': 'Basic realm="x"' }, 401);
    registry.intercept = answerWith('', { location: `http://${store.host}/blob` }, 307);
    const failure = client(as(password)).getBlob(digestOf(BLOB), BLOB.length);
    await expect(failure).rejects.toMatchObject({ code: 'REGISTRY_UNAUTHORIZED' });
    expect(store.authorizations).toEqual([undefined]);
  });

  it('that a registry repeats in its error is not shown', async () => {
    registry.intercept = (request, response) => {
      const { authorization } = request.headers;
      const status = authorization === undefined ? 401 : 403;
      response.writeHead(status, { 'www-authenticate': 'Basic realm="x"' });
      response.end(
        JSON.stringify({ errors: [{ code: 'DENIED', message: `not ${authorization} (hunter2)` }] }),
      );
      return true;
    };
    await expect(client(as(password)).putManifest('1', MANIFEST, BYTES)).rejects.toMatchObject({
      code: 'REGISTRY_DENIED',
      message: expect.stringMatching(/DENIED, not Basic \*\*\* \(\*\*\*\)$/),
    });
  });

  describe('by token', () => {
    let server: MemoryRegistry;
    const asked: {
      readonly url: string;
      readonly body: string;
      readonly authorization: string | undefined;
    }[] = [];

    beforeEach(async () => {
      asked.length = 0;
      server = await MemoryRegistry.start();
      server.intercept = (request, response, body) => {
        const { authorization } = request.headers;
        asked.push({ url: request.url ?? '', body: body.toString(), authorization });
        response.writeHead(200).end(JSON.stringify({ token: `t${asked.length}` }));
        return true;
      };
      demand(`Bearer realm="http://${server.host}/token",service="r"`, 'Bearer t1');
    });
    afterEach(() => server[Symbol.asyncDispose]());

    test.each([
      ['a password', password, basicHeader],
      ['nothing', undefined, undefined],
    ])('asks the token server with %s', async (_name, credentials, authorization) => {
      await client({ findCredentials: async () => credentials }, 'pull').hasBlob(digestOf(BLOB));
      const url = '/token?service=r&scope=repository%3Ateam%2Fsensors%3Apull';
      expect(asked).toEqual([{ url, body: '', authorization }]);
      expect(registry.authorizations).toEqual([undefined, 'Bearer t1']);
    });

    it('exchanges a refresh token', async () => {
      await client(as({ kind: 'refresh-token', token: 'r/1', source: 'X' })).hasBlob(digestOf(BLOB));
      expect(asked).toHaveLength(1);
      expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({
        grant_type: 'refresh_token',
        client_id: 'vespid',
        refresh_token: 'r/1',
        scope: 'repository:team/sensors:pull,push',
        service: 'r',
      });
    });

    it('asks again when a token has expired', async () => {
      const one = client(as(password));
      await one.hasBlob(digestOf(BLOB));
      demand(`Bearer realm="http://${server.host}/token",service="r"`, 'Bearer t2');
      await one.hasBlob(digestOf(BLOB));
      expect(registry.authorizations).toEqual([undefined, 'Bearer t1', 'Bearer t1', 'Bearer t2']);
    });

    test.each<{ name: string; answer: MemoryRegistry['intercept']; code: string }>([
      { name: 'refuses', answer: answerWith('', {}, 401), code: 'REGISTRY_UNAUTHORIZED' },
      { name: 'redirects', answer: answerWith('', { location: '/other' }, 307), code: 'REGISTRY_REFUSED' },
      { name: 'gives no JSON', answer: answerWith('hello'), code: 'REGISTRY_ANSWER_INVALID' },
      { name: 'gives no token', answer: answerWith('{}'), code: 'REGISTRY_ANSWER_INVALID' },
      {
        name: 'gives a token with a line feed',
        answer: answerWith('{"token":"a\\r\\nx-evil: 1"}'),
        code: 'REGISTRY_ANSWER_INVALID',
      },
      { name: 'gives no end', answer: answerWith('x'.repeat(2 ** 17)), code: 'REGISTRY_ANSWER_TOO_LARGE' },
    ])('fails when the token server $name', async ({ answer, code }) => {
      server.intercept = answer;
      const failure = await client(as(password))
        .hasBlob(digestOf(BLOB))
        .catch((error: unknown) => error);
      expect(failure).toMatchObject({ code });
      expect(`${failure}${JSON.stringify(failure)}`).not.toContain('hunter2');
    });

    it('fails when the token server is on plain http on the network', async () => {
      demand('Bearer realm="http://auth.example/token"');
      await expect(client(as(password)).hasBlob(digestOf(BLOB))).rejects.toMatchObject({
        code: 'REGISTRY_INSECURE',
      });
    });
  });
});
