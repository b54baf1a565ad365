import { createHash } from 'node:crypto';
import type { TransparencyLogEntry } from '../../../signing/attestation/sigstore-bundle-schema.js';

/** What Rekor v1 answers to an entry (openapi.yaml, LogEntry): one member, named by the entry's UUID. */
export type RekorResponse = Readonly<Record<string, RekorLogEntry>>;

interface RekorLogEntry {
  readonly body: unknown;
  readonly integratedTime: number;
  readonly logID: string;
  readonly logIndex: number;
  readonly verification?: {
    readonly signedEntryTimestamp?: string;
    readonly inclusionProof?: {
      readonly checkpoint: string;
      readonly hashes: readonly string[];
      readonly logIndex: number;
      readonly rootHash: string;
      readonly treeSize: number;
    };
  };
}

/** The body of an entry of kind dsse 0.0.1 as Rekor stores it (pkg/types/dsse/v0.0.1, Canonicalize). */
export function asRekorStores(signed: {
  readonly certificate: Buffer;
  readonly signature: Buffer;
  readonly payload: Uint8Array;
  readonly payloadType: string;
}): object {
  const { certificate, signature, payload, payloadType } = signed;
  const envelope = JSON.stringify({
    payload: Buffer.from(payload).toString('base64'),
    payloadType,
    signatures: [{ sig: signature.toString('base64') }],
  });
  return {
    apiVersion: '0.0.1',
    kind: 'dsse',
    spec: {
      envelopeHash: { algorithm: 'sha256', value: sha256Hex(envelope) },
      payloadHash: { algorithm: 'sha256', value: sha256Hex(payload) },
      signatures: [
        {
          signature: signature.toString('base64'),
          verifier: Buffer.from(pemOf(certificate)).toString('base64'),
        },
      ],
    },
  };
}

export function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** Rekor's answer in the form that a Sigstore bundle has it (sigstore_rekor.proto, TransparencyLogEntry). */
export function readRekorResponse(response: RekorResponse): TransparencyLogEntry {
  const [entry] = Object.values(response);
  const proof = entry?.verification?.inclusionProof;
  const promise = entry?.verification?.signedEntryTimestamp;
  if (entry === undefined || proof === undefined || promise === undefined || typeof entry.body !== 'string')
    throw new Error('an entry without proof and promise');
  return {
    ...index(entry.logIndex),
    logId: { keyId: base64OfHex(entry.logID) },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    integratedTime: String(entry.integratedTime),
    inclusionPromise: { signedEntryTimestamp: promise },
    inclusionProof: {
      ...index(proof.logIndex),
      rootHash: base64OfHex(proof.rootHash),
      treeSize: String(proof.treeSize),
      ...(proof.hashes.length === 0 ? {} : { hashes: proof.hashes.map(base64OfHex) }),
      checkpoint: { envelope: proof.checkpoint },
    },
    canonicalizedBody: entry.body,
  };
}

function index(value: number): { readonly logIndex?: string } {
  return value === 0 ? {} : { logIndex: String(value) };
}

function base64OfHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}

function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
