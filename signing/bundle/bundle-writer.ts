import { VespidError } from '../../engine/errors/index.js';
import { type BundlePredicate, normalizePredicate, PREDICATE_TYPE } from '../attestation/bundle-predicate.js';
import { compareText } from '../attestation/claim-order.js';
import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../attestation/dsse.js';
import { encodeSigstoreBundle, SIGSTORE_BUNDLE_MEDIA_TYPE } from '../attestation/sigstore-bundle.js';
import { expectedSubjects, readStatement, STATEMENT_TYPE, type Statement } from '../attestation/statement.js';
import { checkStatementCovers } from '../attestation/statement-check.js';
import { canonicalJson } from '../documents/canonical-json.js';
import type { PrivateKey } from '../keys/key-pair.js';
import type { BundleContent, BundleFiles, BundleInput, NamedBytes } from './bundle-content.js';
import { checkBlobDigests, checkLayout } from './bundle-layout.js';
import { BUNDLE_LIMITS, requireWithinLimit } from './bundle-limits.js';
import { requireValidNames } from './bundle-name.js';
import { readBundleContent } from './bundle-reader.js';
import {
  ATTESTATION_ANNOTATIONS,
  type AttestationManifest,
  BUNDLE_ARTIFACT_TYPE,
  type BundleConfig,
  type BundleManifest,
  blobPath,
  buildIndex,
  CONFIG_MEDIA_TYPE,
  type Descriptor,
  describe,
  EMPTY_DESCRIPTOR,
  EMPTY_JSON_BYTES,
  INDEX_PATH,
  LAYOUT_BYTES,
  LAYOUT_PATH,
  type LayerDescriptor,
  MANIFEST_MEDIA_TYPE,
  OBJECT_MEDIA_TYPE,
  POLICY_MEDIA_TYPE,
  TITLE_ANNOTATION,
} from './oci-layout.js';

/**
 * Packs policies and objects into an OCI image layout with one signed attestation. The same input and key give
 * the same bytes: files and claims are put in order, there is no time stamp, and Ed25519 is deterministic.
 *
 * @param predicate what the caller computed from these files
 * @throws VespidError SIGN_NAME_INVALID, SIGN_NAME_DUPLICATE, SIGN_INPUT_EMPTY, SIGN_CLAIM_INVALID,
 *   BUNDLE_TOO_LARGE
 */
export function createBundle(
  input: BundleInput,
  predicate: BundlePredicate,
  signer: Pick<PrivateKey, 'keyId' | 'sign'>,
): ReadonlyMap<string, Uint8Array> {
  requireValidNames(input, { invalid: 'SIGN_NAME_INVALID', duplicate: 'SIGN_NAME_DUPLICATE' });
  if (input.policies.length + input.objects.length === 0) {
    throw new VespidError('SIGN_INPUT_EMPTY', 'expected at least one policy or object to sign, found none', {
      hint: 'name policies (.yaml) or eBPF objects (.bpf.o) to sign',
    });
  }
  requireWithinLimit(
    input.policies.length + input.objects.length,
    BUNDLE_LIMITS.maxLayers,
    'policies and objects',
  );
  return attestBundle(buildUnsignedLayout(input), predicate, signer);
}

/**
 * Adds the attestation of one more signer. The caller has recomputed `predicate` from the files: a signer vouches
 * for what it saw, not for what the first signer said. Signing twice with one key changes nothing.
 *
 * @throws VespidError SIGN_CLAIM_INVALID, and those of an invalid layout
 */
export function attestBundle(
  files: BundleFiles,
  predicate: BundlePredicate,
  signer: Pick<PrivateKey, 'keyId' | 'sign'>,
): ReadonlyMap<string, Uint8Array> {
  const layout = checkLayout(files);
  checkBlobDigests(layout);
  const content = readBundleContent(layout);
  const statement = canonicalJson(buildStatement(content, predicate));
  requireAcceptable(statement, content);
  const blobs = new LayoutBuilder(layout);
  const subject = describe(MANIFEST_MEDIA_TYPE, layout.get(blobPath(content.digest)) ?? new Uint8Array());
  const attestation = blobs.add(
    MANIFEST_MEDIA_TYPE,
    canonicalJson(buildAttestation(statement, subject, signer, blobs)),
  );
  const earlier = content.attestations
    .filter(({ digest }) => digest !== attestation.digest)
    .map(({ digest }) => describe(MANIFEST_MEDIA_TYPE, layout.get(blobPath(digest)) ?? new Uint8Array()));
  return blobs.finish(canonicalJson(buildIndex(content.name, subject, [...earlier, attestation])));
}

/** Blobs under their digests, by path. */
class LayoutBuilder {
  readonly #files: Map<string, Uint8Array>;

  constructor(files: BundleFiles = new Map()) {
    this.#files = new Map(files);
  }

  add(mediaType: string, bytes: Uint8Array): Descriptor {
    const descriptor = describe(mediaType, bytes);
    this.#files.set(blobPath(descriptor.digest), bytes);
    return descriptor;
  }

  finish(index: Uint8Array): ReadonlyMap<string, Uint8Array> {
    this.#files.set(LAYOUT_PATH, LAYOUT_BYTES);
    this.#files.set(INDEX_PATH, index);
    return new Map([...this.#files].sort(([left], [right]) => compareText(left, right)));
  }
}

function buildUnsignedLayout(input: BundleInput): BundleFiles {
  const blobs = new LayoutBuilder();
  const config: BundleConfig = { apiVersion: 'vespid.dev/v1', kind: 'Bundle', name: input.name };
  const manifest: BundleManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    artifactType: BUNDLE_ARTIFACT_TYPE,
    config: blobs.add(CONFIG_MEDIA_TYPE, canonicalJson(config)),
    layers: [
      ...addLayers(input.policies, POLICY_MEDIA_TYPE, blobs),
      ...addLayers(input.objects, OBJECT_MEDIA_TYPE, blobs),
    ],
  };
  const descriptor = blobs.add(MANIFEST_MEDIA_TYPE, canonicalJson(manifest));
  return blobs.finish(canonicalJson(buildIndex(input.name, descriptor, [])));
}

function addLayers(
  items: readonly NamedBytes[],
  mediaType: string,
  blobs: LayoutBuilder,
): readonly LayerDescriptor[] {
  return [...items]
    .sort((left, right) => compareText(left.name, right.name))
    .map(({ name, bytes }) => ({
      ...blobs.add(mediaType, bytes),
      annotations: { [TITLE_ANNOTATION]: name },
    }));
}

function buildStatement(content: BundleContent, predicate: BundlePredicate): Statement {
  const normal = normalizePredicate(predicate);
  return {
    _type: STATEMENT_TYPE,
    subject: expectedSubjects(content, content.digest, normal.programs),
    predicateType: PREDICATE_TYPE,
    predicate: normal,
  };
}

/** Never sign what every verifier would refuse: the statement goes through the verifier's own checks first. */
function requireAcceptable(statement: Uint8Array, content: BundleContent): void {
  try {
    checkStatementCovers(readStatement(statement), content);
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw new VespidError('SIGN_CLAIM_INVALID', `the claims cannot be signed: ${cause.message}`, {
      hint: 'claim each program and policy of each file once, and only those of these files',
      cause,
    });
  }
}

function buildAttestation(
  payload: Uint8Array,
  subject: Descriptor,
  signer: Pick<PrivateKey, 'keyId' | 'sign'>,
  blobs: LayoutBuilder,
): AttestationManifest {
  const payloadType = IN_TOTO_PAYLOAD_TYPE;
  const signature = signer.sign(preAuthenticationEncoding(payloadType, payload));
  const bundle = encodeSigstoreBundle({
    payloadType,
    payload,
    material: { kind: 'key', keyId: signer.keyId, signature },
  });
  blobs.add(EMPTY_DESCRIPTOR.mediaType, EMPTY_JSON_BYTES);
  return {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    artifactType: SIGSTORE_BUNDLE_MEDIA_TYPE,
    config: EMPTY_DESCRIPTOR,
    layers: [blobs.add(SIGSTORE_BUNDLE_MEDIA_TYPE, bundle)],
    subject,
    annotations: ATTESTATION_ANNOTATIONS,
  };
}
