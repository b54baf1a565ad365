import { bytesEqual } from '../documents/bytes.js';
import { defineSchema } from '../documents/signed-document.js';
import { keylessRefusal } from './keyless-refusal.js';
import type { TransparencyLogEntry } from './sigstore-bundle-schema.js';

/** The first lines of a checkpoint: origin, tree size, root hash in base64; then what the log adds. */
interface Checkpoint {
  readonly treeSize: string;
  readonly rootHash: string;
}

/** U+2014, name, space, base64 of a key hint and a signature (C2SP signed-note). */
const SIGNATURE_LINE = /^\u2014 (?<name>[A-Za-z0-9./:_-]{1,256}) [A-Za-z0-9+/]{8,1024}={0,2}$/;
/** A log's own signature and those of its cosigners. */
const MAX_SIGNATURE_LINES = 16;

/**
 * Checks the parts of a log entry that `@sigstore/verify` reads too freely or not at all, before it sees them: it
 * makes a regular expression of the name in a checkpoint's signature, it takes the entry's own root hash and tree
 * size for nothing, and it believes the log index of an entry that no promise covers.
 *
 * @throws VespidError BUNDLE_LOG_ENTRY_INVALID
 */
export function checkLogEntryForm(entry: TransparencyLogEntry, where: string): void {
  const { inclusionProof, inclusionPromise } = entry;
  const { treeSize, rootHash } = readCheckpoint(inclusionProof.checkpoint.envelope, where);
  if (inclusionProof.treeSize !== treeSize || inclusionProof.rootHash !== rootHash) {
    throw refuse(
      where,
      `expected the proof to be for the checkpoint's tree of size ${treeSize} and root ${rootHash}, ` +
        `found size ${inclusionProof.treeSize} and root ${inclusionProof.rootHash}`,
    );
  }
  // With a promise, the log index counts over all shards of the log; without, there is but one.
  if (inclusionPromise === undefined && entry.logIndex !== inclusionProof.logIndex) {
    throw refuse(where, `expected the log index ${inclusionProof.logIndex}, found ${entry.logIndex}`);
  }
}

function readCheckpoint(envelope: string, where: string): Checkpoint {
  const [note = '', ...rest] = envelope.split('\n\n');
  const [origin, treeSize, rootHash] = note.split('\n');
  const signatures = rest.join('\n\n').split('\n');
  const closed = signatures.pop() === '';
  const names = signatures.map((line) => SIGNATURE_LINE.exec(line)?.groups?.['name']);
  const wellFormed = closed && names.length <= MAX_SIGNATURE_LINES && !names.includes(undefined);
  if (!wellFormed || !origin || treeSize === undefined || rootHash === undefined) {
    throw refuse(where, 'expected a checkpoint in the form of a signed note, found another text');
  }
  // Rekor v1 writes `host - tree id` as its origin, and signs as the host.
  const [log = ''] = origin.split(' - ');
  if (!names.includes(log)) {
    throw refuse(where, `expected a checkpoint that ${log} signed, found signatures of ${names.join(', ')}`);
  }
  return { treeSize, rootHash };
}

/** The parts of Rekor's entry of kind dsse, versions 0.0.1 and 0.0.2, that name the verifier of the signature. */
interface DsseEntryBody {
  readonly spec: {
    readonly signatures?: readonly [{ readonly verifier: string }];
    readonly dsseV002?: {
      readonly signatures: readonly [
        { readonly verifier: { readonly x509Certificate: { readonly rawBytes: string } } },
      ];
    };
  };
}

const one = (items: object) => ({ type: 'array', minItems: 1, maxItems: 1, items });
const having = (properties: Record<string, object>) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
const base64 = { type: 'string' };

const checkDsseEntryBody = defineSchema<DsseEntryBody>(
  having({
    spec: {
      type: 'object',
      properties: {
        signatures: one(having({ verifier: base64 })),
        dsseV002: having({
          signatures: one(having({ verifier: having({ x509Certificate: having({ rawBytes: base64 }) }) })),
        }),
      },
    },
  }),
);

/**
 * Checks that the log has the signature as one of this certificate. `@sigstore/verify` compares the payload's digest
 * and the signature only, and would take the entry of another certificate for the same key.
 *
 * @param entry verified: its body is what the log holds
 * @param certificate DER
 * @throws VespidError BUNDLE_LOG_ENTRY_INVALID
 */
export function requireLoggedCertificate(
  entry: TransparencyLogEntry,
  certificate: Uint8Array,
  where: string,
): void {
  const logged = readLoggedCertificate(entry);
  if (logged !== undefined && bytesEqual(logged, certificate)) return;
  throw refuse(where, 'expected the log entry to name the certificate of this attestation, found another');
}

function readLoggedCertificate({ canonicalizedBody }: TransparencyLogEntry): Uint8Array | undefined {
  const checked = checkDsseEntryBody(JSON.parse(Buffer.from(canonicalizedBody, 'base64').toString('utf8')));
  if ('error' in checked) return undefined;
  const { signatures, dsseV002 } = checked.value.spec;
  if (dsseV002 !== undefined) return decode(dsseV002.signatures[0].verifier.x509Certificate.rawBytes);
  if (signatures === undefined) return undefined;
  const pem = decode(signatures[0].verifier).toString('latin1');
  const body = /^-----BEGIN CERTIFICATE-----\n([A-Za-z0-9+/=\n]+)-----END CERTIFICATE-----\n?$/.exec(
    pem,
  )?.[1];
  return body === undefined ? undefined : decode(body.replaceAll('\n', ''));
}

function decode(base64Text: string): Buffer {
  return Buffer.from(base64Text, 'base64');
}

function refuse(where: string, expectation: string): Error {
  return keylessRefusal('BUNDLE_LOG_ENTRY_INVALID', `${where}: log entry`, expectation);
}
