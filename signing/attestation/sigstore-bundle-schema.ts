import { defineSchema, type SchemaCheck } from '../documents/signed-document.js';

export const SIGSTORE_BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/**
 * The members of a Sigstore bundle v0.3 (sigstore_bundle.proto) that Vespid writes and accepts, in the JSON form of
 * Protocol Buffers: bytes are standard base64, 64-bit integers are decimal strings, and what has its default value
 * is absent. The content is always a DSSE envelope, never a messageSignature.
 */
interface SigstoreBundle<Material, Signature> {
  readonly mediaType: typeof SIGSTORE_BUNDLE_MEDIA_TYPE;
  readonly verificationMaterial: Material;
  readonly dsseEnvelope: {
    readonly payload: string;
    readonly payloadType: string;
    /** A Sigstore bundle has exactly one signature; a threshold is several bundles. */
    readonly signatures: readonly [Signature];
  };
}

/** Signed with a key that the verifier has to know. */
export type KeyedSigstoreBundle = SigstoreBundle<
  { readonly publicKey: { readonly hint: string } },
  { readonly sig: string; readonly keyid: string }
>;

/** Signed with a short-lived key that a certificate binds to an identity: Sigstore's "keyless". */
export type KeylessSigstoreBundle = SigstoreBundle<
  {
    readonly certificate: { readonly rawBytes: string };
    readonly tlogEntries?: readonly TransparencyLogEntry[];
    readonly timestampVerificationData?: {
      readonly rfc3161Timestamps: readonly { readonly signedTimestamp: string }[];
    };
  },
  { readonly sig: string }
>;

/** sigstore_rekor.proto, TransparencyLogEntry: one entry of Rekor, and how it is proven to be in the log. */
export interface TransparencyLogEntry {
  /** Over all shards of the log; absent for the first entry. */
  readonly logIndex?: string;
  /** SHA-256 of the log's public key, or the key id of its checkpoints. */
  readonly logId: { readonly keyId: string };
  readonly kindVersion: { readonly kind: 'dsse'; readonly version: '0.0.1' | '0.0.2' };
  /** Seconds since 1970. Only the inclusion promise signs it, so the one does not come without the other. */
  readonly integratedTime?: string;
  readonly inclusionPromise?: { readonly signedEntryTimestamp: string };
  readonly inclusionProof: {
    /** Within the tree of the proof; absent for the first entry. */
    readonly logIndex?: string;
    readonly rootHash: string;
    readonly treeSize: string;
    readonly hashes?: readonly string[];
    /** A signed note: origin, tree size, root hash, and signatures of the log over them. */
    readonly checkpoint: { readonly envelope: string };
  };
  /** What was entered into the log: JSON with the digest of the payload, the signature and the certificate. */
  readonly canonicalizedBody: string;
}

/**
 * Entries and timestamps in one bundle: one is usual, two when a company keeps a log or an authority of its own
 * beside the public one. Each costs signature checks before the signer is known to be trusted.
 */
const MAX_WITNESSES = 4;
/** Fulcio's certificates take 2 to 4 KiB; the parser recurses once for each level of nested ASN.1. */
const MAX_CERTIFICATE_BASE64 = 16 * 1024;
/** The certificate in base64 twice over, digests and a signature. */
const MAX_ENTRY_BODY_BASE64 = 64 * 1024;
/** A timestamp with the certificates of its authority in it. */
const MAX_TIMESTAMP_BASE64 = 16 * 1024;
/** An ECDSA signature is about 100 characters of base64, RSA 4096 is 684. */
const MAX_SIGNATURE_BASE64 = 1024;
/** Three lines and a few signatures; cosigners add about 150 bytes each. */
const MAX_CHECKPOINT = 8 * 1024;
/** Depth of a Merkle tree of 2^64 entries. */
const MAX_PROOF_HASHES = 64;

const keyId = { type: 'string', pattern: '^[0-9a-f]{64}$' };
const base64 = { type: 'string', minLength: 4, pattern: '^[A-Za-z0-9+/]*={0,2}$' };
const base64UpTo = (maxLength: number) => ({ ...base64, maxLength });
/** 32 bytes. */
const base64Digest = { type: 'string', pattern: '^[A-Za-z0-9+/]{43}=$' };
/** A positive int64 in decimal, below 10^15: `@sigstore/verify` turns it into a double. */
const positive = { type: 'string', pattern: '^[1-9][0-9]{0,14}$' };

/** A schema that allows exactly these members, all required but the named ones. */
function closed(properties: Record<string, object>, optional: readonly string[] = []): object {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(properties).filter((name) => !optional.includes(name)),
    properties,
  };
}

function bundleSchema(verificationMaterial: object, signature: object): object {
  return closed({
    mediaType: { const: SIGSTORE_BUNDLE_MEDIA_TYPE },
    verificationMaterial,
    dsseEnvelope: closed({
      payload: base64,
      payloadType: { type: 'string', minLength: 1, maxLength: 256 },
      signatures: { type: 'array', minItems: 1, maxItems: 1, items: signature },
    }),
  });
}

const inclusionProof = closed(
  {
    logIndex: positive,
    rootHash: base64Digest,
    treeSize: positive,
    hashes: { type: 'array', minItems: 1, maxItems: MAX_PROOF_HASHES, items: base64Digest },
    checkpoint: closed({ envelope: { type: 'string', minLength: 1, maxLength: MAX_CHECKPOINT } }),
  },
  ['logIndex', 'hashes'],
);

const tlogEntry = {
  ...closed(
    {
      logIndex: positive,
      logId: closed({ keyId: base64UpTo(64) }),
      kindVersion: closed({ kind: { const: 'dsse' }, version: { enum: ['0.0.1', '0.0.2'] } }),
      integratedTime: positive,
      inclusionPromise: closed({ signedEntryTimestamp: base64UpTo(MAX_SIGNATURE_BASE64) }),
      inclusionProof,
      canonicalizedBody: base64UpTo(MAX_ENTRY_BODY_BASE64),
    },
    ['logIndex', 'integratedTime', 'inclusionPromise'],
  ),
  dependentRequired: { integratedTime: ['inclusionPromise'], inclusionPromise: ['integratedTime'] },
};

const checkKeyed = defineSchema<KeyedSigstoreBundle>(
  bundleSchema(closed({ publicKey: closed({ hint: keyId }) }), closed({ sig: base64, keyid: keyId })),
);

const checkKeyless = defineSchema<KeylessSigstoreBundle>(
  bundleSchema(
    closed(
      {
        certificate: closed({ rawBytes: base64UpTo(MAX_CERTIFICATE_BASE64) }),
        tlogEntries: { type: 'array', minItems: 1, maxItems: MAX_WITNESSES, items: tlogEntry },
        timestampVerificationData: closed({
          rfc3161Timestamps: {
            type: 'array',
            minItems: 1,
            maxItems: MAX_WITNESSES,
            items: closed({ signedTimestamp: base64UpTo(MAX_TIMESTAMP_BASE64) }),
          },
        }),
      },
      ['tlogEntries', 'timestampVerificationData'],
    ),
    // No keyid: the certificate says whose key it is, and a second answer could only contradict it.
    closed({ sig: base64UpTo(MAX_SIGNATURE_BASE64) }),
  ),
);

/** Both forms; told apart by the material, so that a fault is reported against the form that was meant. */
export const checkSigstoreBundle: SchemaCheck<KeyedSigstoreBundle | KeylessSigstoreBundle> = (value) =>
  hasCertificate(value) ? checkKeyless(value) : checkKeyed(value);

function hasCertificate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('verificationMaterial' in value)) return false;
  const { verificationMaterial } = value;
  return (
    typeof verificationMaterial === 'object' &&
    verificationMaterial !== null &&
    'certificate' in verificationMaterial
  );
}

export function isKeyless(
  bundle: KeyedSigstoreBundle | KeylessSigstoreBundle,
): bundle is KeylessSigstoreBundle {
  return 'certificate' in bundle.verificationMaterial;
}

/** Every member that holds base64, with its place for messages. */
export function base64MembersOf(bundle: KeylessSigstoreBundle): readonly (readonly [string, string])[] {
  const { certificate, tlogEntries = [], timestampVerificationData } = bundle.verificationMaterial;
  const timestamps = timestampVerificationData?.rfc3161Timestamps ?? [];
  return [
    ['certificate', certificate.rawBytes],
    ...tlogEntries.flatMap(base64MembersOfEntry),
    ...timestamps.map(({ signedTimestamp }) => ['timestamp', signedTimestamp] as const),
  ];
}

function base64MembersOfEntry(entry: TransparencyLogEntry): readonly (readonly [string, string])[] {
  const { logId, inclusionPromise, inclusionProof: proof, canonicalizedBody } = entry;
  return [
    ['log entry: keyId', logId.keyId],
    ['log entry: rootHash', proof.rootHash],
    ...(proof.hashes ?? []).map((hash) => ['log entry: hash', hash] as const),
    ['log entry: canonicalizedBody', canonicalizedBody],
    ...(inclusionPromise === undefined
      ? []
      : [['log entry: signedEntryTimestamp', inclusionPromise.signedEntryTimestamp] as const]),
  ];
}
