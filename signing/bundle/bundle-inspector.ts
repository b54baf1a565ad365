import { VespidError } from '../../engine/errors/index.js';
import type { BundlePredicate } from '../attestation/bundle-predicate.js';
import { IN_TOTO_PAYLOAD_TYPE } from '../attestation/dsse.js';
import { decodeSigstoreBundle } from '../attestation/sigstore-bundle.js';
import { readStatement, type Statement } from '../attestation/statement.js';
import { contentDigest } from '../documents/content-digest.js';
import type { AttestationBlob, BundleFiles, NamedBytes } from './bundle-content.js';
import { checkBlobDigests, checkLayout } from './bundle-layout.js';
import { readBundleContent } from './bundle-reader.js';

/** A description of a bundle that nobody vouches for. `verified` is the literal false, so that no reader forgets. */
export interface BundleDescription {
  readonly verified: false;
  readonly name: string;
  /** Digest of the bundle's manifest, `sha256:<hex>`. */
  readonly digest: string;
  readonly policies: readonly FileDescription[];
  readonly objects: readonly FileDescription[];
  readonly attestations: readonly AttestationDescription[];
}

export interface FileDescription {
  readonly name: string;
  readonly digest: string;
  readonly byteSize: number;
}

/** What an attestation says about itself; its signature was not checked. */
export interface AttestationDescription {
  readonly digest: string;
  /** The key that it says signed it; absent when it has a certificate instead. */
  readonly claimedKeyId?: string;
  readonly payloadType: string;
  readonly unverifiedSubjects: Statement['subject'];
  readonly unverifiedPredicate?: BundlePredicate;
  /** Why the payload could not be read; then there are no subjects and no predicate. */
  readonly payloadFault?: string;
}

/**
 * Describes a bundle without trusting it: the structure and the digests are checked, the signatures are not.
 * For people only; what is loaded comes from verifyBundle.
 *
 * @throws VespidError BUNDLE_* when the structure is not that of a bundle
 */
export function inspectBundle(files: BundleFiles): BundleDescription {
  const layout = checkLayout(files);
  checkBlobDigests(layout);
  const { name, digest, policies, objects, attestations } = readBundleContent(layout);
  return {
    verified: false,
    name,
    digest,
    policies: policies.map(describeFile),
    objects: objects.map(describeFile),
    attestations: attestations.map(describeAttestation),
  };
}

function describeFile({ name, bytes }: NamedBytes): FileDescription {
  return { name, digest: contentDigest(bytes), byteSize: bytes.length };
}

function describeAttestation({ digest, bytes }: AttestationBlob): AttestationDescription {
  const { material, payloadType, payload } = decodeSigstoreBundle(bytes, `attestation ${digest}`);
  const claimed = material.kind === 'key' ? { claimedKeyId: material.keyId } : {};
  const about = { digest, ...claimed, payloadType };
  const nothing = { unverifiedSubjects: [] };
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE)
    return { ...about, ...nothing, payloadFault: 'not an in-toto statement' };
  try {
    const { subject, predicate } = readStatement(payload);
    return { ...about, unverifiedSubjects: subject, unverifiedPredicate: predicate };
  } catch (error) {
    if (!(error instanceof VespidError)) throw error;
    return { ...about, ...nothing, payloadFault: error.message };
  }
}
