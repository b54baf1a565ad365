import { createRequire } from 'node:module';
import { beforeAll, describe, expect, test } from 'vitest';
import { verifyKeyless } from '../../../signing/attestation/keyless-verify.js';
import type { TrustedRoot } from '../../../signing/attestation/trusted-root.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { decodeSigstoreBundle, parseTrustedRoot } from '../../../signing/index.js';
import { expectRefusal } from '../sample-bundle.js';
import { SigstoreInstance } from './sigstore-instance.js';

let sigstore: SigstoreInstance;
let root: TrustedRoot;
beforeAll(async () => {
  sigstore = await SigstoreInstance.start();
  root = sigstore.trustedRoot;
});

const parse = (json: unknown) => parseTrustedRoot(json, 'trusted_root.json');

describe('a trusted root', () => {
  test('is given back as it is', () => {
    expect(parse(root)).toBe(root);
  });

  test('may say more than is read', () => {
    const tlogs = root.tlogs.map((log) => ({ ...log, operator: 'sigstore.dev' }));
    const grown = {
      ...root,
      mediaType: 'application/vnd.dev.sigstore.trustedroot.v0.2+json',
      tlogs,
      future: [1],
    };
    expect(parse(grown)).toBe(grown);
  });

  test('of the public instance is accepted, as the sigstore library brings it', async () => {
    const seeds: unknown = createRequire(import.meta.url)('@sigstore/tuf/seeds.json');
    const { targets } = Object(seeds)['https://tuf-repo-cdn.sigstore.dev'];
    const json: unknown = JSON.parse(Buffer.from(targets['trusted_root.json'], 'base64').toString());
    expect(parse(json)).toMatchObject({ tlogs: [{ baseUrl: 'https://rekor.sigstore.dev' }, {}] });
    // It is what is loaded, too: the attestation is refused for its own faults.
    const attestation = decodeSigstoreBundle(canonicalJson(await sigstore.attest()), 'attestation');
    await expect(verifyKeyless(attestation, parse(json))).rejects.toMatchObject({ exitCode: 3 });
  });

  test('may have no timestamp authority', () => {
    const { timestampAuthorities: _, ...others } = root;
    expect(() => parse(others)).not.toThrow();
  });

  const period = (validFor: object) => ({
    ...root,
    certificateAuthorities: root.certificateAuthorities.map((authority) => ({ ...authority, validFor })),
  });

  test('may have times to the nanosecond', () => {
    expect(() => parse(period({ start: '2021-10-07T13:56:59.123456789Z' }))).not.toThrow();
  });

  const rows: readonly { name: string; json: () => unknown; says: string }[] = [
    { name: 'is no object', json: () => [], says: 'its top level' },
    {
      name: 'is of another media type',
      json: () => ({ ...root, mediaType: 'text/plain' }),
      says: '/mediaType',
    },
    { name: 'names no Rekor', json: () => ({ ...root, tlogs: [] }), says: '/tlogs' },
    { name: 'names no Fulcio', json: () => ({ ...root, certificateAuthorities: undefined }), says: '' },
    { name: 'names no certificate log', json: () => ({ ...root, ctlogs: [] }), says: '/ctlogs' },
    {
      name: 'has a key that is none',
      json: () => ({
        ...root,
        tlogs: root.tlogs.map((log) => ({ ...log, publicKey: { ...log.publicKey, rawBytes: 'AAAA' } })),
      }),
      says: 'tlogs/0: expected the public key',
    },
    {
      name: 'has a certificate that is none',
      json: () => ({
        ...root,
        certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: 'AAAA' }] } }],
      }),
      says: 'certificateAuthorities/0/certificates/0',
    },
    {
      name: 'has an authority without certificates',
      json: () => ({ ...root, certificateAuthorities: [{ certChain: { certificates: [] } }] }),
      says: '/certificateAuthorities/0/certChain/certificates',
    },
    {
      name: 'has a period that ends before it starts',
      json: () => period({ start: '2026-01-02T00:00:00Z', end: '2026-01-01T00:00:00Z' }),
      says: 'certificateAuthorities/0: expected validFor to end after its start',
    },
    { name: 'has a date that is none', json: () => period({ start: 'today' }), says: 'RFC 3339' },
  ];
  test.each(rows)('$name: refused', ({ json, says }) => {
    const refusal = expectRefusal('TRUST_POLICY_ROOT_INVALID', () => parse(json()));
    expect(refusal.message).toContain(says);
    expect(refusal.message).toContain('trusted_root.json');
  });
});
