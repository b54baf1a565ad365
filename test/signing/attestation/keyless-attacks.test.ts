import { beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { verifyKeyless } from '../../../signing/attestation/keyless-verify.js';
import type {
  KeylessSigstoreBundle,
  TransparencyLogEntry,
} from '../../../signing/attestation/sigstore-bundle-schema.js';
import { canonicalJson } from '../../../signing/documents/canonical-json.js';
import { decodeSigstoreBundle } from '../../../signing/index.js';
import { expectRejection } from '../../signers/sample-surroundings.js';
import { certificateLog } from './certificate-log.js';
import {
  type CertificateClaims,
  dnsName,
  emailName,
  forge,
  SERVER_AUTH,
  sequence,
  uriName,
  utf8String,
} from './forged-certificate.js';
import { ecKeyPair, ISSUER, type Issue, SigstoreInstance, SUBJECT } from './sigstore-instance.js';

let sigstore: SigstoreInstance;
let stranger: SigstoreInstance;
let honest: KeylessSigstoreBundle;
/** By another signer, over another payload. */
let other: KeylessSigstoreBundle;
beforeAll(async () => {
  sigstore = await SigstoreInstance.start();
  stranger = await SigstoreInstance.start();
  honest = await sigstore.attest();
  other = await sigstore.attest({
    issue: sigstore.issue({ subject: 'https://github.com/mallory/tool' }),
    payload: new TextEncoder().encode('{"other":true}'),
  });
});

async function verify(bundle: unknown) {
  return verifyKeyless(decodeSigstoreBundle(canonicalJson(bundle), 'attestation'), sigstore.trustedRoot);
}

const expectRefusal = (code: ErrorCode, bundle: unknown) => expectRejection(code, verify(bundle));

type Material = KeylessSigstoreBundle['verificationMaterial'];

function withMaterial(edit: (material: Material) => Material, bundle = honest): KeylessSigstoreBundle {
  return { ...bundle, verificationMaterial: edit(bundle.verificationMaterial) };
}

function withEntry(edit: (entry: TransparencyLogEntry) => object, bundle = honest): object {
  const { tlogEntries = [], ...material } = bundle.verificationMaterial;
  return { ...bundle, verificationMaterial: { ...material, tlogEntries: tlogEntries.map(edit) } };
}

function withoutEntries(bundle: KeylessSigstoreBundle): KeylessSigstoreBundle {
  return withMaterial(({ tlogEntries: _, ...material }) => material, bundle);
}

test('what is attacked here verifies when it is left alone', async () => {
  expect(await verify(honest)).toMatchObject({ issuer: ISSUER, subject: SUBJECT });
});

describe('a certificate', () => {
  const rows: readonly { name: string; issue: () => Issue }[] = [
    { name: 'of another authority', issue: () => stranger.issue() },
    {
      name: "signed by another key in the authority's name",
      issue: () => forge(sigstore, {}, { key: ecKeyPair().privateKey }),
    },
    { name: 'that no log promised to publish', issue: () => forge(sigstore, {}, { log: null }) },
    {
      name: 'that an unknown log promised to publish',
      issue: () => forge(sigstore, {}, { log: certificateLog(ecKeyPair()) }),
    },
    {
      name: 'whose promise is signed by another than the log',
      issue: () => {
        const impostor = certificateLog(ecKeyPair());
        impostor.logID = sigstore.ctlog.logID;
        return forge(sigstore, {}, { log: impostor });
      },
    },
    { name: "that is the authority's own", issue: () => async () => sigstore.caCertificate },
    {
      name: 'with bytes behind it',
      issue: () => async (key) => Buffer.concat([await sigstore.issue()(key), Buffer.of(0)]),
    },
    {
      name: 'with a length that is not in its shortest form',
      issue: () => async (key) => longerLength(await sigstore.issue()(key)),
    },
    { name: 'that is no DER', issue: () => async () => Buffer.from('not a certificate') },
    { name: 'of empty DER', issue: () => async () => sequence() },
    { name: 'nested as deep as fits', issue: () => async () => Buffer.alloc(12_000, '3080', 'hex') },
  ];
  test.each(rows)('$name', async ({ issue }) => {
    await expectRefusal('BUNDLE_CERTIFICATE_INVALID', await sigstore.attest({ issue: issue() }));
  });

  test.each([
    { name: 'expired when it was logged', minutes: 61 },
    { name: 'logged before it was valid', minutes: -1 },
  ])('$name', async ({ minutes }) => {
    const loggedAt = new Date(Date.now() + minutes * 60_000);
    await expectRefusal('BUNDLE_CERTIFICATE_INVALID', await sigstore.attest({ loggedAt }));
  });

  test('of another bundle', async () => {
    const { certificate } = other.verificationMaterial;
    await expectRefusal(
      'BUNDLE_SIGNATURE_INVALID',
      withMaterial((material) => ({ ...material, certificate })),
    );
  });

  test('of another identity for the same key', async () => {
    const keys = ecKeyPair();
    const mine = await sigstore.attest({ keys });
    const theirs = await sigstore.attest({
      keys,
      issue: forge(sigstore, { names: uriName('https://them') }),
    });
    const { certificate } = theirs.verificationMaterial;
    const error = await expectRefusal(
      'BUNDLE_LOG_ENTRY_INVALID',
      withMaterial((material) => ({ ...material, certificate }), mine),
    );
    expect(error.message).toContain('name the certificate of this attestation');
  });
});

describe('the identity in a certificate', () => {
  const two = (first: Buffer, second: Buffer) => Buffer.concat([first, second]);
  const rows: readonly { name: string; claims: CertificateClaims }[] = [
    { name: 'two URIs', claims: { names: two(uriName(SUBJECT), uriName('https://evil')) } },
    { name: 'a URI and an address', claims: { names: two(uriName(SUBJECT), emailName('a@evil')) } },
    { name: 'a URI behind a DNS name', claims: { names: two(dnsName('evil'), uriName(SUBJECT)) } },
    {
      name: 'two extensions of names',
      claims: { further: [['2.5.29.17', sequence(uriName('https://evil'))]] },
    },
    { name: 'a DNS name', claims: { names: dnsName('github.com') } },
    { name: 'no name', claims: { names: undefined } },
    { name: 'an empty list of names', claims: { names: Buffer.alloc(0) } },
    { name: 'an empty name', claims: { names: uriName('') } },
    { name: 'a name that ends in a line feed', claims: { names: uriName(`${SUBJECT}\n`) } },
    { name: 'a name that ends in a NUL', claims: { names: uriName(`${SUBJECT}\0.evil`) } },
    { name: 'a name with a space before it', claims: { names: uriName(` ${SUBJECT}`) } },
    { name: 'a name with the high bit in its letters', claims: { names: uriName(withHighBit(SUBJECT)) } },
    { name: 'a name in UTF-8', claims: { names: uriName(SUBJECT.replace('a', 'а')) } },
    { name: 'bytes behind the names', claims: { names: two(uriName(SUBJECT), Buffer.of(1)) } },
    { name: 'two issuers in two forms', claims: { issuerV1: Buffer.from('https://evil') } },
    { name: 'no issuer', claims: { issuerV1: undefined, issuerV2: undefined } },
    { name: 'an issuer with the high bit in its letters', claims: { issuerV1: withHighBit(ISSUER) } },
    { name: 'an issuer that is no text', claims: { issuerV2: Buffer.from(ISSUER) } },
    {
      name: 'an issuer with bytes behind it',
      claims: { issuerV2: two(utf8String(ISSUER), Buffer.of(5, 0)) },
    },
    { name: 'an issuer twice', claims: { further: [['1.3.6.1.4.1.57264.1.8', utf8String('https://evil')]] } },
    { name: 'the purpose of a web server', claims: { purposes: [SERVER_AUTH] } },
    { name: 'no purpose', claims: { purposes: undefined } },
  ];
  test.each(rows)('$name', async ({ claims }) => {
    await expectRefusal(
      'BUNDLE_CERTIFICATE_INVALID',
      await sigstore.attest({ issue: forge(sigstore, claims) }),
    );
  });
});

describe('the log', () => {
  test('has no entry, and there is no time', async () => {
    await expectRefusal('BUNDLE_TIMESTAMP_INVALID', withoutEntries(honest));
  });

  test('has no entry, though there is a time', async () => {
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', withoutEntries(await sigstore.timestamp(honest)));
  });

  test('has the entry of another signature', async () => {
    const { tlogEntries = [] } = other.verificationMaterial;
    await expectRefusal(
      'BUNDLE_LOG_ENTRY_INVALID',
      withMaterial((material) => ({ ...material, tlogEntries })),
    );
  });

  test('has an entry and that of another signature', async () => {
    // At another time: two entries of one log and one second are refused as one that is listed twice.
    const later = await sigstore.attest({ loggedAt: new Date(Date.now() + 60_000) });
    const [foreign] = later.verificationMaterial.tlogEntries ?? [];
    const both = withMaterial(({ tlogEntries = [], ...material }) => ({
      ...material,
      tlogEntries: foreign === undefined ? tlogEntries : [...tlogEntries, foreign],
    }));
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', both);
  });

  test('is unknown', async () => {
    const bundle = await stranger.attest({ issue: sigstore.issue() });
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', bundle);
  });

  test('lists one entry twice', async () => {
    const twice = withMaterial(({ tlogEntries = [], ...material }) => ({
      ...material,
      tlogEntries: [...tlogEntries, ...tlogEntries],
    }));
    await expectRefusal('BUNDLE_TIMESTAMP_INVALID', twice);
  });

  const editedProof = (edit: (envelope: string) => string) => (entry: TransparencyLogEntry) => ({
    ...entry,
    inclusionProof: {
      ...entry.inclusionProof,
      checkpoint: { envelope: edit(entry.inclusionProof.checkpoint.envelope) },
    },
  });
  const rows: readonly { name: string; edit: (entry: TransparencyLogEntry) => object }[] = [
    { name: 'is named otherwise', edit: (entry) => ({ ...entry, logId: { keyId: 'AAAA' } }) },
    {
      name: 'promised another time',
      edit: (entry) => ({ ...entry, integratedTime: String(Number(entry.integratedTime) + 1) }),
    },
    { name: 'promised another index', edit: (entry) => ({ ...entry, logIndex: '99999999' }) },
    {
      name: 'has a tree of another size',
      edit: (entry) => ({ ...entry, inclusionProof: { ...entry.inclusionProof, treeSize: '2' } }),
    },
    {
      name: 'has a tree of another root',
      edit: (entry) => ({
        ...entry,
        inclusionProof: { ...entry.inclusionProof, rootHash: `${'A'.repeat(43)}=` },
      }),
    },
    {
      name: 'proves with a hash too many',
      edit: (entry) => ({
        ...entry,
        inclusionProof: { ...entry.inclusionProof, hashes: [`${'A'.repeat(43)}=`] },
      }),
    },
    {
      name: 'proves another place in the tree',
      edit: (entry) => ({ ...entry, inclusionProof: { ...entry.inclusionProof, logIndex: '1' } }),
    },
    { name: 'has a checkpoint that nobody signed', edit: editedProof((text) => text.split('—')[0] ?? '') },
    { name: 'has a checkpoint of another', edit: editedProof((text) => text.replace('— rekor', '— other')) },
    { name: 'has a checkpoint with more behind it', edit: editedProof((text) => `${text}\n`) },
    { name: 'has a checkpoint without an end', edit: editedProof((text) => text.trimEnd()) },
    { name: 'has a checkpoint that is none', edit: editedProof(() => 'checkpoint') },
  ];
  test.each(rows)('$name', async ({ edit }) => {
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', withEntry(edit));
  });

  /** `@sigstore/verify` matches the log's address against the name in a checkpoint as a regular expression. */
  test.each([
    { name: 'takes for ever', pattern: '((([a-z:/.]*)*)*)*!' },
    { name: 'is malformed', pattern: '(' },
    { name: 'matches everything', pattern: '.*' },
  ])('has a checkpoint whose name is a pattern that $name', async ({ pattern }) => {
    const edit = editedProof((text) => text.replace(/— \S+/, `— ${pattern}`));
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', withEntry(edit));
  });

  test('promises nothing, and there is no other time', async () => {
    const unpromised = withEntry(
      ({ inclusionPromise: _, integratedTime: __, logIndex: ___, ...entry }) => entry,
    );
    await expectRefusal('BUNDLE_TIMESTAMP_INVALID', unpromised);
  });

  test('promises nothing, and the index is made up', async () => {
    const stamped = await sigstore.timestamp(honest);
    const unpromised = withEntry(({ inclusionPromise: _, integratedTime: __, ...entry }) => entry, stamped);
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', unpromised);
  });

  test('promises nothing, and its id is made up', async () => {
    const stamped = await sigstore.timestamp(honest);
    const renamed = withEntry(
      ({ inclusionPromise: _, integratedTime: __, logIndex: ___, ...entry }) => ({
        ...entry,
        logId: { keyId: Buffer.alloc(32, 7).toString('base64') },
      }),
      stamped,
    );
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', renamed);
  });
});

describe('a timestamp', () => {
  const withTimestamp = (signedTimestamp: string) =>
    withMaterial((material) => ({
      ...material,
      timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp }] },
    }));

  test('of another signature', async () => {
    const { timestampVerificationData } = (await sigstore.timestamp(other)).verificationMaterial;
    const signedTimestamp = timestampVerificationData?.rfc3161Timestamps[0]?.signedTimestamp ?? '';
    await expectRefusal('BUNDLE_TIMESTAMP_INVALID', withTimestamp(signedTimestamp));
  });

  test('of an unknown authority', async () => {
    await expectRefusal('BUNDLE_TIMESTAMP_INVALID', await stranger.timestamp(honest));
  });

  test.each(['AAAA', 'MAA=', 'MIAA'])('that is none: %s', async (signedTimestamp) => {
    await expectRefusal('BUNDLE_TIMESTAMP_INVALID', withTimestamp(signedTimestamp));
  });
});

describe('the envelope', () => {
  const withEnvelope = (edit: Partial<KeylessSigstoreBundle['dsseEnvelope']>) => ({
    ...honest,
    dsseEnvelope: { ...honest.dsseEnvelope, ...edit },
  });

  test('has the payload of another', async () => {
    await expectRefusal('BUNDLE_LOG_ENTRY_INVALID', withEnvelope({ payload: other.dsseEnvelope.payload }));
  });

  test('has the signature of another', async () => {
    await expectRefusal(
      'BUNDLE_LOG_ENTRY_INVALID',
      withEnvelope({ signatures: other.dsseEnvelope.signatures }),
    );
  });

  test('is signed by another key than the certificate has', async () => {
    const { certificate } = other.verificationMaterial;
    // Both hold the same place in the log, so that nothing but the signature is wrong.
    const bundle = await sigstore.attest({ issue: async () => Buffer.from(certificate.rawBytes, 'base64') });
    await expectRefusal('BUNDLE_SIGNATURE_INVALID', bundle);
  });

  test('has another payload type, which the log does not hold', async () => {
    await expectRefusal('BUNDLE_SIGNATURE_INVALID', withEnvelope({ payloadType: 'text/plain' }));
  });
});

describe('a change of any member', () => {
  /** Every text in the bundle, by its path. */
  function* texts(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
    if (typeof value === 'string') yield path;
    else if (typeof value === 'object' && value !== null) {
      for (const [name, member] of Object.entries(value)) yield* texts(member, [...path, name]);
    }
  }

  function edit(
    value: unknown,
    [name, ...rest]: readonly string[],
    change: (text: string) => string,
  ): unknown {
    if (name === undefined) return change(String(value));
    if (Array.isArray(value))
      return value.map((item, at) => (String(at) === name ? edit(item, rest, change) : item));
    // The path was made from this value, so it is an object here.
    const object = value as Readonly<Record<string, unknown>>;
    return { ...object, [name]: edit(object[name], rest, change) };
  }

  /** Another character of the same alphabet. */
  function flipAt(text: string, at: number): string {
    const character = text.charAt(at);
    const flipped = character === 'A' ? 'B' : character === '1' ? '2' : /\d/.test(character) ? '1' : 'A';
    return text.slice(0, at) + flipped + text.slice(at + 1);
  }

  const refusedIn = async (bundle: unknown): Promise<boolean> =>
    verify(bundle).then(
      () => false,
      (error: unknown) => {
        expect(error).toMatchObject({ name: 'VespidError', exitCode: 3 });
        return true;
      },
    );

  test('is refused, wherever it is', async () => {
    const accepted: string[] = [];
    let count = 0;
    for (const path of texts(honest)) {
      const probe = { length: 0 };
      edit(honest, path, (text) => {
        probe.length = text.length;
        return text;
      });
      const step = Math.max(1, Math.floor(probe.length / 16));
      for (let at = 0; at < probe.length; at += step) {
        const changed = edit(honest, path, (text) => flipAt(text, at));
        count++;
        if (!(await refusedIn(changed))) accepted.push(`${path.join('.')} at ${at}`);
      }
    }
    expect(accepted).toEqual([]);
    expect(count).toBeGreaterThan(150);
  }, 60_000);

  function remove(value: unknown, [name = '', ...rest]: readonly string[]): unknown {
    if (Array.isArray(value))
      return value.map((item, at) => (String(at) === name ? remove(item, rest) : item));
    // The path was made from this value, so it is an object here.
    const { [name]: member, ...others } = value as Readonly<Record<string, unknown>>;
    return rest.length === 0 ? others : { ...others, [name]: remove(member, rest) };
  }

  test('is refused when the member is gone', async () => {
    const accepted: string[] = [];
    for (const path of texts(honest)) {
      if (!(await refusedIn(remove(honest, path)))) accepted.push(path.join('.'));
    }
    expect(accepted).toEqual([]);
  });
});

/** The bytes of Latin-1 whose low seven bits are the text. */
function withHighBit(text: string): Buffer {
  return Buffer.from([...Buffer.from(text)].map((byte, at) => (at % 2 === 0 ? byte | 0x80 : byte)));
}

/** SEQUENCE with its length in one octet more than is needed. */
function longerLength(certificate: Buffer): Buffer {
  const length = certificate.subarray(2, 4);
  return Buffer.concat([Buffer.of(0x30, 0x83, 0x00), length, certificate.subarray(4)]);
}
