import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { encodeSigstoreBundle } from '../../../signing/attestation/sigstore-bundle.js';
import { BUNDLE_LIMITS, type BundleFiles } from '../../../signing/index.js';
import { TRUST_POLICY_PAYLOAD_TYPE } from '../../../signing/trust/signed-policy-envelope.js';
import {
  attach,
  attestationManifestPath,
  attestationOf,
  editText,
  findBlob,
  manifestPath,
  readdress,
  resign,
  sigstorePath,
} from '../forged-bundle.js';
import {
  CI_KEY,
  expectRejection,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  SAMPLE_INPUT,
  SAMPLE_PREDICATE,
  STRANGER_KEY,
  signBundle,
  TWICE_SIGNED,
  trustIn,
  utf8,
  verify,
} from '../sample-bundle.js';

describe('forgeries whose digests all fit', async () => {
  const nowhere = (text: string): string => text;
  const other = await signBundle(
    { ...SAMPLE_INPUT, policies: [{ name: 'protect-shadow.yaml', bytes: utf8('x') }] },
    SAMPLE_PREDICATE,
    CI_KEY,
  );
  const moved = readdress(
    other,
    sigstorePath(other),
    SAMPLE_BUNDLE.get(sigstorePath(SAMPLE_BUNDLE)) ?? utf8(''),
  );

  test.each<{ name: string; files: () => BundleFiles; code: ErrorCode }>([
    { name: 'a signature moved to another bundle', files: () => moved, code: 'BUNDLE_SUBJECT_MISMATCH' },
    {
      name: 'a changed policy',
      files: () => editText(SAMPLE_BUNDLE, findBlob(SAMPLE_BUNDLE, 'kind: Policy'), (text) => `${text}#`),
      code: 'BUNDLE_SUBJECT_MISMATCH',
    },
    {
      name: 'a policy served as an object',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace('policy.v1+yaml', 'object.v1+elf'),
        ),
      code: 'BUNDLE_CLAIM_INVALID',
    },
    {
      name: 'a path-traversal name',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace('"file.bpf.o"', '"../file.bpf.o"'),
        ),
      code: 'BUNDLE_NAME_INVALID',
    },
    {
      name: 'a name with an escape sequence',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace('"file.bpf.o"', '"\\u001b[2J"'),
        ),
      code: 'BUNDLE_NAME_INVALID',
    },
    {
      name: 'two layers of one digest',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace(
            /(\{"annotations":\{"org.opencontainers.image.title":")file.bpf.o("[^}]*\}[^}]*\})/,
            '$1file.bpf.o$2,$1file2.bpf.o$2',
          ),
        ),
      code: 'BUNDLE_BLOB_SHARED',
    },
    {
      name: 'one blob as a policy and as an object',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace(
            /(\{"annotations":\{"org.opencontainers.image.title":")file.bpf.o("[^}]*\}[^}]*\})/,
            (layer) =>
              `${layer},${layer.replace('file.bpf.o', 'file.yaml').replace('object.v1+elf', 'policy.v1+yaml')}`,
          ),
        ),
      code: 'BUNDLE_BLOB_SHARED',
    },
    {
      name: 'no layer at all',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace(/"layers":\[.*\],/, '"layers":[],'),
        ),
      code: 'BUNDLE_DOCUMENT_INVALID',
    },
    {
      name: 'two files of one name',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace('"file.bpf.o"', '"net.bpf.o"'),
        ),
      code: 'BUNDLE_NAME_DUPLICATE',
    },
    {
      name: 'an attestation of another manifest',
      files: () =>
        editText(SAMPLE_BUNDLE, attestationManifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace(/("subject":\{"digest":"sha256:)[0-9a-f]{64}/, `$1${'0'.repeat(64)}`),
        ),
      code: 'BUNDLE_ATTESTATION_FOREIGN',
    },
    {
      name: 'another keyid than the hint',
      files: () =>
        editText(SAMPLE_BUNDLE, sigstorePath(SAMPLE_BUNDLE), (text) =>
          text.replace(`"keyid":"${CI_KEY.keyId}"`, `"keyid":"${RELEASE_KEY.keyId}"`),
        ),
      code: 'BUNDLE_KEY_ID_MISMATCH',
    },
    {
      name: "a stranger's signature under a trusted key's id",
      files: () =>
        resign(
          SAMPLE_BUNDLE,
          { keyId: CI_KEY.keyId, sign: (message) => STRANGER_KEY.sign(message) },
          nowhere,
        ),
      code: 'BUNDLE_SIGNATURE_INVALID',
    },
    {
      name: 'a short signature',
      files: () => resign(SAMPLE_BUNDLE, { keyId: CI_KEY.keyId, sign: () => new Uint8Array(63) }, nowhere),
      code: 'BUNDLE_SIGNATURE_INVALID',
    },
    {
      name: 'another payload type with the old signature',
      files: () =>
        editText(SAMPLE_BUNDLE, sigstorePath(SAMPLE_BUNDLE), (text) =>
          text.replace('vnd.in-toto+json', 'vnd.other+json'),
        ),
      code: 'BUNDLE_SIGNATURE_INVALID',
    },
    {
      name: 'a good signature over another payload type',
      files: () => resign(SAMPLE_BUNDLE, CI_KEY, nowhere, 'application/vnd.other+json'),
      code: 'BUNDLE_PAYLOAD_TYPE_UNSUPPORTED',
    },
    {
      name: 'a good signature over a trust policy',
      files: () => resign(SAMPLE_BUNDLE, CI_KEY, nowhere, TRUST_POLICY_PAYLOAD_TYPE),
      code: 'BUNDLE_PAYLOAD_TYPE_UNSUPPORTED',
    },
    {
      name: 'a second signature in one envelope',
      files: () =>
        editText(SAMPLE_BUNDLE, sigstorePath(SAMPLE_BUNDLE), (text) =>
          text.replace(/"signatures":\[(.*?)\]/, '"signatures":[$1,$1]'),
        ),
      code: 'BUNDLE_DOCUMENT_INVALID',
    },
    {
      name: 'base64 with bits that are not used',
      files: () =>
        editText(SAMPLE_BUNDLE, sigstorePath(SAMPLE_BUNDLE), (text) =>
          text.replace(/(.)==("\})/, (_, last, rest) => `${next(last)}==${rest}`),
        ),
      code: 'BUNDLE_DOCUMENT_INVALID',
    },
    {
      name: 'an unknown member',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace('{"artifactType"', '{"a":1,"artifactType"'),
        ),
      code: 'BUNDLE_DOCUMENT_INVALID',
    },
    {
      name: 'a duplicate member',
      files: () =>
        editText(SAMPLE_BUNDLE, manifestPath(SAMPLE_BUNDLE), (text) =>
          text.replace('"schemaVersion":2', '"schemaVersion":2,"schemaVersion":2'),
        ),
      code: 'BUNDLE_JSON_DUPLICATE_KEY',
    },
    {
      name: 'white space',
      files: () => editText(SAMPLE_BUNDLE, 'index.json', (text) => `${text}\n`),
      code: 'BUNDLE_JSON_NOT_CANONICAL',
    },
    {
      name: 'trailing bytes',
      files: () => editText(SAMPLE_BUNDLE, 'index.json', (text) => `${text}{}`),
      code: 'BUNDLE_JSON_MALFORMED',
    },
    {
      name: 'deep nesting',
      files: () => new Map(SAMPLE_BUNDLE).set('index.json', utf8('['.repeat(100_000))),
      code: 'BUNDLE_JSON_LIMIT',
    },
    {
      name: 'another size in a descriptor',
      files: () => editText(SAMPLE_BUNDLE, 'index.json', (text) => text.replace(/"size":\d+/, '"size":1')),
      code: 'BUNDLE_BLOB_SIZE_MISMATCH',
    },
    {
      name: 'another name in the index',
      files: () => editText(SAMPLE_BUNDLE, 'index.json', (text) => text.replace('starter', 'stopper')),
      code: 'BUNDLE_NAME_MISMATCH',
    },
    {
      name: 'another order of attestations',
      files: () =>
        editText(TWICE_SIGNED, 'index.json', (text) =>
          text.replace(
            /(\{"artifactType":"[^"]*sigstore[^}]*\}),(\{"artifactType":"[^"]*sigstore[^}]*\})/,
            '$2,$1',
          ),
        ),
      code: 'BUNDLE_JSON_NOT_CANONICAL',
    },
    { name: 'too many attestations', files: () => tooManyAttestations(), code: 'BUNDLE_TOO_LARGE' },
  ])('$name', async ({ files, code }) => {
    const forged = files();
    // An edit of the index is undone by readdress only where it sorts; it must still differ.
    expect(forged).not.toEqual(SAMPLE_BUNDLE);
    await expectRejection(code, () => verify(forged));
  });
});

describe('statements that a trusted key signed, but that do not fit', () => {
  const objectSubject = /\{"digest":\{"sha256":"[0-9a-f]{64}"\},"name":"file.bpf.o"\},/;
  test.each<{ name: string; edit: (payload: string) => string; code: ErrorCode }>([
    {
      name: 'an object left out',
      edit: (text) => text.replace(objectSubject, ''),
      code: 'BUNDLE_SUBJECT_MISSING',
    },
    {
      name: 'the programs of an object left out',
      edit: (text) =>
        text.replace(/\{"attachTarget"[^{]*\{[^}]*\}\],"name":"file_open","object":"file.bpf.o"[^}]*\},/, ''),
      code: 'BUNDLE_CLAIM_INVALID',
    },
    {
      name: 'a claim about an object that is not here',
      edit: (text) =>
        text.replace('"name":"connect6","object":"net.bpf.o"', '"name":"connect6","object":"gone.bpf.o"'),
      code: 'BUNDLE_CLAIM_INVALID',
    },
    {
      name: 'another digest of an object',
      edit: (text) =>
        text.replace(/"[0-9a-f]{64}"\},"name":"file.bpf.o"\}/, `"${'0'.repeat(64)}"},"name":"file.bpf.o"}`),
      code: 'BUNDLE_SUBJECT_MISMATCH',
    },
    {
      name: 'a claim with another digest than its subject',
      edit: (text) =>
        text.replace(/("section":"lsm\/file_open","sha256":")[0-9a-f]{64}/, `$1${'0'.repeat(64)}`),
      code: 'BUNDLE_SUBJECT_MISMATCH',
    },
    {
      name: 'a subject twice',
      edit: (text) => text.replace(objectSubject, (subject) => subject + subject),
      code: 'BUNDLE_SUBJECT_DUPLICATE',
    },
    {
      name: 'a subject too many',
      edit: (text) =>
        text.replace(objectSubject, (subject) => subject + subject.replace('file.bpf.o', 'extra.bpf.o')),
      code: 'BUNDLE_SUBJECT_UNEXPECTED',
    },
    {
      name: 'another predicate type',
      edit: (text) => text.replace('attestation/bundle/v1', 'attestation/bundle/v2'),
      code: 'BUNDLE_STATEMENT_INVALID',
    },
    {
      name: 'an unknown member',
      edit: (text) => text.replace('{"_type"', '{"A":1,"_type"'),
      code: 'BUNDLE_STATEMENT_INVALID',
    },
    { name: 'white space', edit: (text) => `${text} `, code: 'BUNDLE_JSON_NOT_CANONICAL' },
    { name: 'trailing bytes', edit: (text) => `${text}{}`, code: 'BUNDLE_JSON_MALFORMED' },
    {
      name: 'a duplicate member',
      edit: (text) => text.replace('{"_type"', '{"_type":"x","_type"'),
      code: 'BUNDLE_JSON_DUPLICATE_KEY',
    },
  ])('$name', async ({ edit, code }) => {
    await expectRejection(code, () => verify(resign(SAMPLE_BUNDLE, CI_KEY, edit)));
  });

  test('are not even parsed when the signer is not trusted', async () => {
    const files = resign(SAMPLE_BUNDLE, STRANGER_KEY, () => 'not JSON at all');
    await expectRejection('BUNDLE_SIGNER_UNKNOWN', () => verify(files));
    await expectRejection('BUNDLE_JSON_MALFORMED', () => verify(files, trustIn({ stranger: STRANGER_KEY })));
  });
});

/** The character after `character` in the base64 alphabet: only bits change that one byte does not use. */
function next(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  return alphabet[alphabet.indexOf(character) + 1] ?? 'A';
}

function tooManyAttestations(): BundleFiles {
  const attestation = attestationOf(SAMPLE_BUNDLE);
  let files = SAMPLE_BUNDLE;
  for (let count = 0; count < BUNDLE_LIMITS.maxAttestations; count++) {
    const signature = new Uint8Array(64).fill(count);
    files = attach(
      files,
      encodeSigstoreBundle({ ...attestation, material: { kind: 'key', keyId: CI_KEY.keyId, signature } }),
      SAMPLE_BUNDLE,
    );
  }
  return files;
}
