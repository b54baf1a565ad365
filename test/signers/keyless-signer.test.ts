import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type KeylessSpec, openKeylessSigner } from '../../engine/signers/index.js';
import { verifyKeyless } from '../../signing/attestation/keyless-verify.js';
import { decodeSigstoreBundle } from '../../signing/index.js';
import { ISSUER, PAYLOAD, PAYLOAD_TYPE, SUBJECT } from '../signing/attestation/sigstore-instance.js';
import { expectRejection, SampleSurroundings } from './sample-surroundings.js';
import { identityToken, SigstoreServer } from './sigstore-server.js';

/** Nothing here waits for a machine elsewhere. */
const TIMING = { timeoutMs: 2000, retries: 2, backoffMs: 1 };

let server: SigstoreServer;
beforeAll(async () => {
  server = await SigstoreServer.start();
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => server.reset());

async function open(spec: KeylessSpec = {}, environment: Record<string, string> = {}) {
  using surroundings = new SampleSurroundings();
  Object.assign(surroundings.environment, environment);
  const services = { fulcioUrl: server.url, rekorUrl: server.url };
  return (await openKeylessSigner({ ...services, ...spec }, surroundings, TIMING)).signer;
}

const withToken = (token = identityToken()) => open({}, { SIGSTORE_ID_TOKEN: token });

async function verify(bytes: Uint8Array) {
  return verifyKeyless(decodeSigstoreBundle(bytes, 'attestation'), server.sigstore.trustedRoot);
}

describe('a keyless signer', () => {
  test('attests what verifies, with the identity of the token', async () => {
    const signer = await withToken();
    const bytes = await signer.attest(PAYLOAD_TYPE, PAYLOAD);
    expect(await verify(bytes)).toMatchObject({ issuer: ISSUER, subject: SUBJECT });
    expect(decodeSigstoreBundle(bytes, 'attestation')).toMatchObject({
      payloadType: PAYLOAD_TYPE,
      payload: PAYLOAD,
    });
  });

  test('adds the timestamp of an authority', async () => {
    const signer = await open({ timestampUrl: server.url }, { SIGSTORE_ID_TOKEN: identityToken() });
    const bytes = await signer.attest(PAYLOAD_TYPE, PAYLOAD);
    expect(new TextDecoder().decode(bytes)).toContain('rfc3161Timestamps');
    expect(await verify(bytes)).toMatchObject({ subject: SUBJECT });
  });

  test('is called by the workflow of its token', async () => {
    const job_workflow_ref = 'acme/sensors/.github/workflows/release.yml@refs/tags/v1';
    const signer = await withToken(identityToken({ job_workflow_ref, email: 'a@example.com' }));
    expect(signer.label).toBe(`https://github.com/${job_workflow_ref} (${ISSUER})`);
    expect((await withToken(identityToken({ email: 'a@example.com' }))).label).toBe(
      `a@example.com (${ISSUER})`,
    );
  });

  test('tries again after a fault that may pass', async () => {
    server.fail('fulcio', { status: 503, times: 1 });
    server.fail('rekor', { status: 429, times: 2 });
    const signer = await withToken();
    await verify(await signer.attest(PAYLOAD_TYPE, PAYLOAD));
    expect(server.requests.map(({ service }) => service)).toEqual([
      ...['fulcio', 'fulcio'],
      ...['rekor', 'rekor', 'rekor'],
    ]);
  });

  test.each([
    {
      name: 'Fulcio refuses the token',
      service: 'fulcio',
      answer: { status: 400, body: '{"code":3,"message":"aud claim is wrong"}' },
      code: 'SIGNER_FULCIO_FAILED',
      says: 'aud claim is wrong',
      requests: 1,
    },
    {
      name: 'Fulcio is down',
      service: 'fulcio',
      answer: { status: 503 },
      code: 'SIGNER_FULCIO_FAILED',
      says: '503',
      requests: 3,
    },
    {
      name: 'Fulcio answers without a certificate',
      service: 'fulcio',
      answer: { status: 201, body: '{}' },
      code: 'SIGNER_FULCIO_FAILED',
      says: '',
      requests: 1,
    },
    {
      name: 'Fulcio answers with no JSON',
      service: 'fulcio',
      answer: { status: 201, body: '<html>' },
      code: 'SIGNER_FULCIO_FAILED',
      says: '',
      requests: 1,
    },
    {
      name: 'Fulcio answers with a certificate that is none',
      service: 'fulcio',
      answer: {
        status: 201,
        body: '{"signedCertificateEmbeddedSct":{"chain":{"certificates":[""]}}}',
      },
      code: 'SIGNER_ANSWER_INVALID',
      says: '',
      requests: 2,
    },
    {
      name: 'Rekor refuses the entry',
      service: 'rekor',
      answer: { status: 400, body: '{"message":"no such type"}' },
      code: 'SIGNER_REKOR_FAILED',
      says: 'no such type',
      requests: 2,
    },
    {
      name: 'Rekor answers with another document',
      service: 'rekor',
      answer: { status: 201, body: '{"a":{}}' },
      code: 'SIGNER_ANSWER_INVALID',
      says: '',
      requests: 2,
    },
    {
      name: 'Rekor answers without proof and promise',
      service: 'rekor',
      answer: {
        status: 201,
        body: '{"a":{"body":"eyJraW5kIjoiZHNzZSIsImFwaVZlcnNpb24iOiIwLjAuMSJ9","logID":"00","logIndex":1,"integratedTime":1}}',
      },
      code: 'SIGNER_ANSWER_INVALID',
      says: 'inclusionP',
      requests: 2,
    },
  ] as const)('$name', async ({ service, answer, code, says, requests }) => {
    server.fail(service, answer);
    const token = identityToken();
    const signer = await withToken(token);
    const error = await expectRejection(code, signer.attest(PAYLOAD_TYPE, PAYLOAD));
    expect(error.message).toContain(says);
    expect(JSON.stringify(error)).not.toContain(token);
    expect(server.requests).toHaveLength(requests);
  });

  test('the timestamp authority fails', async () => {
    server.fail('timestamp', { status: 500 });
    const signer = await open({ timestampUrl: server.url }, { SIGSTORE_ID_TOKEN: identityToken() });
    await expectRejection('SIGNER_TIMESTAMP_FAILED', signer.attest(PAYLOAD_TYPE, PAYLOAD));
  });

  test('nothing listens at the address', async () => {
    // Port 9 (discard) of this machine has no server.
    const url = 'http://127.0.0.1:9';
    const signer = await open({ fulcioUrl: url }, { SIGSTORE_ID_TOKEN: identityToken() });
    const error = await expectRejection('SIGNER_FULCIO_FAILED', signer.attest(PAYLOAD_TYPE, PAYLOAD));
    expect(error.message).toContain('ECONNREFUSED');
  });
});

describe('the identity token', () => {
  test('is asked of GitHub, for the audience sigstore', async () => {
    const signer = await open({}, server.githubEnvironment);
    await verify(await signer.attest(PAYLOAD_TYPE, PAYLOAD));
    const [request] = server.requests;
    expect(request).toMatchObject({ service: 'token', headers: { authorization: 'Bearer runner-secret' } });
  });

  test('of GitHub is asked for again when the service is busy', async () => {
    server.fail('token', { status: 503, times: 2 });
    expect((await open({}, server.githubEnvironment)).label).toBe(`${SUBJECT} (${ISSUER})`);
    expect(server.requests).toHaveLength(3);
  });

  test('is read from a file', async () => {
    using surroundings = new SampleSurroundings();
    const path = surroundings.write('token', `${identityToken()}\n`);
    const spec: KeylessSpec = { token: { kind: 'file', path } };
    const { signer } = await openKeylessSigner(spec, surroundings, TIMING);
    expect(signer.label).toBe(`${SUBJECT} (${ISSUER})`);
  });

  test('is read from the variable that is named, before all others', async () => {
    const spec: KeylessSpec = { token: { kind: 'environment', variable: 'MY_TOKEN' } };
    const environment = { MY_TOKEN: identityToken({ sub: 'mine' }), SIGSTORE_ID_TOKEN: 'garbage' };
    expect((await open(spec, environment)).label).toBe(`mine (${ISSUER})`);
  });

  test.each([
    { name: 'of none', environment: {}, spec: {}, code: 'SIGNER_TOKEN_MISSING' },
    {
      name: 'in a variable that is not set',
      environment: { SIGSTORE_ID_TOKEN: identityToken() },
      spec: { token: { kind: 'environment', variable: 'MY_TOKEN' } },
      code: 'SIGNER_TOKEN_MISSING',
    },
    {
      name: 'that is no token',
      environment: { SIGSTORE_ID_TOKEN: 'secret-not-a-token' },
      spec: {},
      code: 'SIGNER_TOKEN_INVALID',
    },
    {
      name: 'whose claims are no JSON',
      environment: { SIGSTORE_ID_TOKEN: 'secret.secret.secret' },
      spec: {},
      code: 'SIGNER_TOKEN_INVALID',
    },
    {
      name: 'without a subject',
      environment: { SIGSTORE_ID_TOKEN: identityToken({ sub: 7 }) },
      spec: {},
      code: 'SIGNER_TOKEN_INVALID',
    },
    {
      name: 'that has expired',
      environment: { SIGSTORE_ID_TOKEN: identityToken({ exp: 1_700_000_000 }) },
      spec: {},
      code: 'SIGNER_TOKEN_INVALID',
    },
    {
      name: 'that expired before dates began',
      environment: { SIGSTORE_ID_TOKEN: identityToken({ exp: -1e300 }) },
      spec: {},
      code: 'SIGNER_TOKEN_INVALID',
    },
    {
      name: 'from an address that is none',
      environment: { ACTIONS_ID_TOKEN_REQUEST_URL: 'nowhere', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'a-secret' },
      spec: {},
      code: 'SIGNER_TOKEN_UNAVAILABLE',
    },
  ] as const)('$name is refused, and not quoted', async ({ environment, spec, code }) => {
    const error = await expectRejection(code, open(spec, environment));
    expect(JSON.stringify(error)).not.toMatch(/secret|eyJ/);
  });

  test.each([
    { name: 'a refusal', answer: { status: 403 }, requests: 1 },
    { name: 'a lasting fault', answer: { status: 500 }, requests: 3 },
    { name: 'an answer without a token', answer: { status: 200, body: '{}' }, requests: 1 },
    { name: 'a redirection', answer: { status: 302 }, requests: 1 },
  ])('$name of GitHub', async ({ answer, requests }) => {
    server.fail('token', answer);
    await expectRejection('SIGNER_TOKEN_UNAVAILABLE', open({}, server.githubEnvironment));
    expect(server.requests).toHaveLength(requests);
  });
});

describe('the address of a service', () => {
  test.each([
    { url: 'fulcio.example.com', name: 'without a scheme' },
    { url: 'http://fulcio.example.com', name: 'that sends the token in the clear' },
    { url: 'http://127.0.0.1.example.com', name: 'that only looks local' },
    { url: 'https://user@fulcio.example.com', name: 'with credentials' },
    { url: 'https://fulcio.example.com/?a=b', name: 'with a query' },
    { url: 'file:///etc/passwd', name: 'of a file' },
  ])('$name is refused', async ({ url }) => {
    await expectRejection('USAGE', open({ rekorUrl: url }, { SIGSTORE_ID_TOKEN: identityToken() }));
  });

  test('may end in a slash', async () => {
    const signer = await open({ fulcioUrl: `${server.url}/` }, { SIGSTORE_ID_TOKEN: identityToken() });
    await verify(await signer.attest(PAYLOAD_TYPE, PAYLOAD));
  });
});
