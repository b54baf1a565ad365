import { writeFileSync } from 'node:fs';
import { bundleFromJSON, bundleToJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RunResult } from '../cli/run-vespid.js';
import { identityToken, SigstoreServer } from '../signers/sigstore-server.js';
import { ISSUER, SigstoreInstance, SUBJECT } from '../signing/attestation/sigstore-instance.js';
import { type IdentityTerms, KeylessWorkspace } from './keyless-workspace.js';

let server: SigstoreServer;
let signed: KeylessWorkspace;
beforeAll(async () => {
  server = await SigstoreServer.start();
  signed = new KeylessWorkspace(server);
  expectSuccess(await signed.sign({ SIGSTORE_ID_TOKEN: identityToken() }));
});
afterAll(async () => {
  signed[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});
beforeEach(() => server.reset());

/** What was printed, as JSON. */
function expectSuccess({ exitCode, stdout, stderr }: RunResult): Readonly<Record<string, unknown>> {
  expect({ exitCode, stderr, stdout: exitCode === 0 ? '' : stdout }).toEqual({
    exitCode: 0,
    stderr: '',
    stdout: '',
  });
  return Object(JSON.parse(stdout));
}

function expectFailure(result: RunResult, exitCode: number, code: string): void {
  expect(result.exitCode, result.stderr).toBe(exitCode);
  expect(JSON.parse(result.stdout)).toMatchObject({ ok: false, error: { code, hint: expect.any(String) } });
  expect(result.stdout + result.stderr).not.toMatch(/\n\s+at |node_modules/);
}

const RELEASE = { issuer: ISSUER, subject: SUBJECT };

describe('vespid sign --keyless, then vespid verify', () => {
  test('accepts the identity that the trust policy names', async () => {
    expect(expectSuccess(await signed.verify([RELEASE]))).toMatchObject({
      signers: [{ id: 'id-0', kind: 'keyless', ...RELEASE }],
    });
  });

  test('accepts an identity that a pattern covers from end to end', async () => {
    const subjectPattern = SUBJECT.replace('/v1', '/v*');
    expectSuccess(await signed.verify([{ issuer: ISSUER, subjectPattern }]));
  });

  const near = (name: string, subject: string): { name: string; terms: IdentityTerms } => ({
    name,
    terms: { issuer: ISSUER, subject },
  });
  test.each([
    near('begins with the allowed one', SUBJECT.slice(0, -1)),
    near('ends with the allowed one', SUBJECT.slice(1)),
    near('holds the allowed one', SUBJECT.slice(5, -5)),
    near('is the allowed one in other case', SUBJECT.toUpperCase()),
    near('lacks the slash at the end of the allowed one', `${SUBJECT}/`),
    near('looks like the allowed one', SUBJECT.replace('release', 'reIease')),
    near('is the allowed one, percent-encoded', SUBJECT.replace('@', '%40')),
    near('is the allowed one as a regular expression', SUBJECT.replaceAll('.', '[.]')),
    { name: 'has another issuer', terms: { issuer: 'https://gitlab.com', subject: SUBJECT } },
    { name: 'has an issuer without its slash', terms: { issuer: `${ISSUER}/`, subject: SUBJECT } },
    {
      name: 'goes on behind the pattern',
      terms: { issuer: ISSUER, subjectPattern: 'https://github.com/acme/*' },
    },
    {
      name: 'starts before the pattern',
      terms: { issuer: ISSUER, subjectPattern: 'acme/sensors/**' },
    },
  ])('refuses an identity that $name', async ({ terms }) => {
    expectFailure(await signed.verify([terms]), 3, 'BUNDLE_SIGNER_UNKNOWN');
  });

  test('refuses the certificate of another instance of Sigstore', async () => {
    using workspace = new KeylessWorkspace(server);
    expectSuccess(await workspace.sign({ SIGSTORE_ID_TOKEN: identityToken() }));
    const { trustedRoot } = await SigstoreInstance.start();
    writeFileSync(workspace.path('trusted_root.json'), JSON.stringify(trustedRoot));
    expectFailure(await workspace.verify([RELEASE]), 3, 'BUNDLE_CERTIFICATE_INVALID');
  });

  test('takes the token of GitHub Actions', async () => {
    using workspace = new KeylessWorkspace(server);
    expectSuccess(await workspace.sign(server.githubEnvironment));
    expectSuccess(await workspace.verify([RELEASE]));
  });

  test('takes the token of a file', async () => {
    using workspace = new KeylessWorkspace(server);
    writeFileSync(workspace.path('token'), identityToken({ sub: 'https://ci.example/job' }));
    expectSuccess(await workspace.sign({}, '--identity-token', 'token'));
    expectSuccess(await workspace.verify([{ issuer: ISSUER, subject: 'https://ci.example/job' }]));
  });

  test('counts an identity and a key for a threshold of two', async () => {
    using workspace = new KeylessWorkspace(server);
    expectSuccess(await workspace.run(['keygen', '--out', 'ci', '--json']));
    const sign = ['sign', 'policy.yaml', '--key', 'ci.key', '--out', 'starter.bundle', '--json'];
    expectSuccess(await workspace.run(sign));
    expectSuccess(await workspace.sign({ SIGSTORE_ID_TOKEN: identityToken() }, '--add', 'starter.bundle'));
    const keys = ['keys:', '  - { id: ci, publicKey: ci.pub }'];
    const result = expectSuccess(await workspace.verify([RELEASE], ...keys));
    // In the order of the attestations' digests, and a certificate is another every time.
    const kinds = ['key', 'keyless'].map((kind) => expect.objectContaining({ kind }));
    expect(result).toMatchObject({ threshold: 2, signers: expect.toSatisfy((all) => all.length === 2) });
    expect(result).toMatchObject({ signers: expect.arrayContaining(kinds) });
    const them = { issuer: ISSUER, subject: 'https://them' };
    expectFailure(await workspace.verify([them], ...keys), 3, 'BUNDLE_THRESHOLD_NOT_MET');
  });

  test.each([
    { name: 'without a token', environment: {}, exitCode: 2, code: 'SIGNER_TOKEN_MISSING' },
    {
      name: 'with a token that has expired',
      environment: { SIGSTORE_ID_TOKEN: identityToken({ exp: 1 }) },
      exitCode: 1,
      code: 'SIGNER_TOKEN_INVALID',
    },
  ])('does not sign $name', async ({ environment, exitCode, code }) => {
    using workspace = new KeylessWorkspace(server);
    expectFailure(await workspace.sign(environment), exitCode, code);
  });

  test.each([
    { service: 'fulcio', code: 'SIGNER_FULCIO_FAILED' },
    { service: 'rekor', code: 'SIGNER_REKOR_FAILED' },
  ] as const)('says that it was $service that refused', async ({ service, code }) => {
    server.fail(service, { status: 400, body: '{"message":"no"}' });
    using workspace = new KeylessWorkspace(server);
    expectFailure(await workspace.sign({ SIGSTORE_ID_TOKEN: identityToken() }), 1, code);
  });
});

describe('the sigstore library', () => {
  const verifier = () =>
    new Verifier(toTrustMaterial(TrustedRoot.fromJSON(server.sigstore.trustedRoot)), {
      tlogThreshold: 1,
      ctlogThreshold: 1,
      timestampThreshold: 1,
    });

  test('verifies our keyless bundle, with its identity', () => {
    const entity = toSignedEntity(bundleFromJSON(signed.attestation()));
    const { identity } = verifier().verify(entity, {
      subjectAlternativeName: SUBJECT,
      extensions: { issuer: ISSUER },
    });
    expect(identity).toMatchObject({ subjectAlternativeName: SUBJECT, extensions: { issuer: ISSUER } });
  });

  test('refuses it for another issuer', () => {
    const entity = toSignedEntity(bundleFromJSON(signed.attestation()));
    expect(() => verifier().verify(entity, { extensions: { issuer: 'https://gitlab.com' } })).toThrow();
  });

  test('writes the bundle that it read as we do', () => {
    const json = signed.attestation();
    expect(bundleToJSON(bundleFromJSON(json))).toEqual(json);
  });

  test('is not loaded when only keys are used', async () => {
    using workspace = new KeylessWorkspace(server);
    const trust = ['apiVersion: vespid.dev/v1', 'kind: TrustPolicy', 'threshold: 1', 'keys:'];
    writeFileSync(
      workspace.path('trust.yaml'),
      [...trust, '  - { id: ci, publicKey: ci.pub }', ''].join('\n'),
    );
    const sigstoreIn = async (...args: string[]) =>
      (await workspace.modulesOf(args)).filter((path) => /@?sigstore|tuf/.test(path));
    expect(await sigstoreIn('keygen', '--out', 'ci')).toEqual([]);
    const sign = ['sign', 'policy.yaml', '--key', 'ci.key', '--out', 'starter.bundle'];
    expect(await sigstoreIn(...sign)).toEqual([]);
    expect(await sigstoreIn('inspect', 'starter.bundle')).toEqual([]);
    expect(await sigstoreIn('verify', 'starter.bundle', '--trust', 'trust.yaml')).toEqual([]);
  });

  test('is loaded without what signs and fetches when an identity is verified', async () => {
    expectSuccess(await signed.verify([RELEASE]));
    const modules = await signed.modulesOf(['verify', signed.bundle, '--trust', 'trust.yaml']);
    expect(modules.some((path) => path.includes('@sigstore/verify'))).toBe(true);
    expect(modules.filter((path) => /@sigstore\/(sign|tuf)|tuf-js|make-fetch-happen/.test(path))).toEqual([]);
  });
});

describe('before anything is verified', () => {
  test('vespid inspect says whom the certificate names', async () => {
    const result = expectSuccess(await signed.run(['inspect', signed.bundle, '--json']));
    expect(result).toMatchObject({ verified: false, attestations: [{ claimedIdentity: RELEASE }] });
    const { stdout } = await signed.run(['inspect', signed.bundle]);
    expect(stdout).toContain(`${SUBJECT} (${ISSUER})`);
  });

  test('vespid trust check says that a trusted root is none', async () => {
    using workspace = new KeylessWorkspace(server);
    await workspace.verify([RELEASE]);
    expectSuccess(await workspace.run(['trust', 'check', 'trust.yaml', '--json']));
    writeFileSync(workspace.path('trusted_root.json'), '{}');
    const result = await workspace.run(['trust', 'check', 'trust.yaml', '--json']);
    expectFailure(result, 1, 'TRUST_POLICY_ROOT_INVALID');
  });
});
