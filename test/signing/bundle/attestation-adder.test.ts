import { describe, expect, test } from 'vitest';
import { encodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import {
  type AttestationSigner,
  addAttestation,
  BUNDLE_LIMITS,
  KeySigner,
  MemoryBundle,
  type StatementCheck,
} from '../../../signing/index.js';
import { attach, attestationOf, findBlob, manifestPath, resign } from '../forged-bundle.js';
import {
  addKey,
  CI_KEY,
  expectRejection,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  STRANGER_KEY,
  sampleKey,
  signBundle,
  TWICE_SIGNED,
  trustIn,
  utf8,
  verify,
} from '../sample-bundle.js';

const sample = new MemoryBundle(SAMPLE_BUNDLE);
const release = new KeySigner(RELEASE_KEY);
const nothing: StatementCheck = () => undefined;

describe('addAttestation', () => {
  test('gives the same bytes whoever signs first', async () => {
    expect(await addKey(await signBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, RELEASE_KEY), CI_KEY)).toEqual(
      TWICE_SIGNED,
    );
    expect(await signBundle(SAMPLE_INPUT, SAMPLE_PREDICATE, RELEASE_KEY, CI_KEY)).toEqual(TWICE_SIGNED);
  });

  test('signs the very bytes that the others signed', async () => {
    const payloads: Uint8Array[] = [];
    const signer: AttestationSigner = {
      label: 'a witness',
      attest: (payloadType, payload) => {
        payloads.push(payload);
        return release.attest(payloadType, payload);
      },
    };
    await addAttestation(sample, signer, nothing);
    expect(payloads).toEqual([attestationOf(SAMPLE_BUNDLE).payload]);
  });

  test('changes nothing for a key that signed already', async () => {
    expect(await addKey(SAMPLE_BUNDLE, CI_KEY)).toEqual(SAMPLE_BUNDLE);
    expect(await addKey(TWICE_SIGNED, CI_KEY)).toEqual(TWICE_SIGNED);
  });

  test("replaces a false signature under the signer's own key id", async () => {
    const attestation = attestationOf(SAMPLE_BUNDLE);
    const material = { kind: 'key', keyId: RELEASE_KEY.keyId, signature: new Uint8Array(64) } as const;
    const files = attach(SAMPLE_BUNDLE, encodeSigstoreBundle({ ...attestation, material }), SAMPLE_BUNDLE);
    const trust = trustIn({ release: RELEASE_KEY });
    await expectRejection('BUNDLE_SIGNATURE_INVALID', () => verify(files, trust));
    expect(await addKey(files, RELEASE_KEY)).toEqual(TWICE_SIGNED);
  });

  test('shows the statement and every file to its caller, and signs nothing when he refuses', async () => {
    let asked = false;
    const signer: AttestationSigner = {
      label: 'nobody',
      attest: async () => {
        asked = true;
        return new Uint8Array();
      },
    };
    const seen: unknown[] = [];
    const check: StatementCheck = async ({ predicate }, files) => {
      seen.push(
        predicate,
        files.map(({ kind, name, bytes }) => ({ kind, name, bytes })),
      );
      throw new Error('not what I see');
    };
    await expect(addAttestation(sample, signer, check)).rejects.toThrow('not what I see');
    expect(seen).toEqual([
      SAMPLE_PREDICATE,
      [
        ...SAMPLE_INPUT.policies.map((file) => ({ kind: 'policy', ...file })),
        ...SAMPLE_INPUT.objects.map((file) => ({ kind: 'object', ...file })),
      ],
    ]);
    expect(asked).toBe(false);
  });

  test('refuses what a signer attested besides the payload that it was given', async () => {
    const other: AttestationSigner = { label: 'other', attest: (type) => release.attest(type, utf8('{}')) };
    await expectRejection('SIGN_ATTESTATION_INVALID', () => addAttestation(sample, other, nothing));
    const type: AttestationSigner = {
      label: 'type',
      attest: (_, payload) => release.attest('text/plain', payload),
    };
    await expectRejection('SIGN_ATTESTATION_INVALID', () => addAttestation(sample, type, nothing));
  });

  test('refuses a damaged document, a changed file, other statements, and none', async () => {
    const manifest = new Map(SAMPLE_BUNDLE).set(manifestPath(SAMPLE_BUNDLE), utf8('{}'));
    await expectRejection('BUNDLE_BLOB_SIZE_MISMATCH', () => addKey(manifest, RELEASE_KEY));
    const policy = new Map(SAMPLE_BUNDLE).set(
      findBlob(SAMPLE_BUNDLE, 'kind: Policy'),
      utf8('kind: policy\n'),
    );
    await expectRejection('BUNDLE_BLOB_DIGEST_MISMATCH', () => addKey(policy, RELEASE_KEY));
    const edited = resign(SAMPLE_BUNDLE, STRANGER_KEY, (text) => text.replace('GPL', 'MIT'));
    const disagreeing = attach(SAMPLE_BUNDLE, encodeSigstoreBundle(attestationOf(edited)), SAMPLE_BUNDLE);
    await expectRejection('BUNDLE_ATTESTATIONS_DISAGREE', () => addKey(disagreeing, RELEASE_KEY));
    const unsigned = await signBundle(SAMPLE_INPUT, SAMPLE_PREDICATE);
    await expectRejection('BUNDLE_UNSIGNED', () => addKey(unsigned, RELEASE_KEY));
  });

  test('refuses more attestations than a verifier reads', async () => {
    let files = SAMPLE_BUNDLE;
    for (let seed = 11; seed < 10 + BUNDLE_LIMITS.maxAttestations; seed++) {
      files = await addKey(files, sampleKey(seed));
    }
    expect((await verify(files)).signers).toHaveLength(1);
    await expectRejection('BUNDLE_TOO_LARGE', () => addKey(files, RELEASE_KEY));
  });
});
