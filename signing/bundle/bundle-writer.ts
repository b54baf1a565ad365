import { VespidError } from '../../engine/errors/index.js';
import { attestPayload } from '../attestation/attest-payload.js';
import type { AttestationSigner } from '../attestation/attestation-signer.js';
import { type BundlePredicate, normalizePredicate, PREDICATE_TYPE } from '../attestation/bundle-predicate.js';
import { compareText } from '../attestation/claim-order.js';
import { IN_TOTO_PAYLOAD_TYPE } from '../attestation/dsse.js';
import { PROVENANCE_TYPE, type Provenance, provenanceStatement } from '../attestation/provenance.js';
import { expectedSubjects, readStatement, STATEMENT_TYPE, type Statement } from '../attestation/statement.js';
import { checkStatementCovers } from '../attestation/statement-check.js';
import { canonicalJson } from '../documents/canonical-json.js';
import { bpfmanLabels } from './bpfman-labels.js';
import type {
  BundleFiles,
  BundleInput,
  BundleOutline,
  FileDescription,
  NamedBytes,
} from './bundle-content.js';
import { BUNDLE_LIMITS, requireWithinLimit } from './bundle-limits.js';
import { requireValidNames } from './bundle-name.js';
import { requireValidVersion } from './bundle-version.js';
import { LayoutBuilder } from './layout-builder.js';
import {
  type AttestedPredicate,
  BUNDLE_ARTIFACT_TYPE,
  type BundleConfig,
  type BundleManifest,
  CONFIG_MEDIA_TYPE,
  type Descriptor,
  describe,
  EMPTY_DESCRIPTOR,
  type LayerDescriptor,
  MANIFEST_MEDIA_TYPE,
  OBJECT_MEDIA_TYPE,
  POLICY_MEDIA_TYPE,
  TITLE_ANNOTATION,
} from './oci-layout.js';

/**
 * Packs policies and objects into an OCI image layout, attested by each signer. The same input and signatures give
 * the same bytes: files and claims are put in order, there is no time stamp, and Ed25519 is deterministic.
 *
 * @param predicate what the signers state: claims about each of the files
 * @param signers each makes one attestation of the same statement
 * @param provenance how the bundle was built; each signer attests it besides
 * @throws VespidError SIGN_NAME_INVALID, SIGN_NAME_DUPLICATE, SIGN_CONTENT_DUPLICATE, SIGN_VERSION_INVALID,
 *   SIGN_INPUT_EMPTY, SIGN_CLAIM_INVALID, SIGN_ATTESTATION_INVALID, BUNDLE_TOO_LARGE, and those of the signers
 */
export async function createBundle(
  input: BundleInput,
  predicate: BundlePredicate,
  signers: readonly AttestationSigner[],
  provenance?: Provenance,
): Promise<BundleFiles> {
  requireSignable(input);
  const blobs = new LayoutBuilder();
  const normalized = normalizePredicate(predicate);
  const { manifest, outline } = addContent(input, normalized, blobs);
  const payloads: [AttestedPredicate, Uint8Array][] = [
    [PREDICATE_TYPE, encodeStatement(outline, normalized)],
  ];
  if (provenance !== undefined) payloads.push([PROVENANCE_TYPE, provenanceStatement(outline, provenance)]);
  const attestations: Descriptor[] = [];
  for (const signer of signers) {
    for (const [predicateType, payload] of payloads) {
      const attestation = await attestPayload(signer, IN_TOTO_PAYLOAD_TYPE, payload);
      attestations.push(blobs.attach(attestation, manifest, predicateType));
    }
  }
  requireWithinLimit(attestations.length, BUNDLE_LIMITS.maxAttestations, 'attestations');
  return blobs.finish(input.name, manifest, attestations);
}

function requireSignable(input: BundleInput): void {
  requireValidNames(input, { invalid: 'SIGN_NAME_INVALID', duplicate: 'SIGN_NAME_DUPLICATE' });
  if (input.version !== undefined) requireValidVersion(input.version, 'SIGN_VERSION_INVALID');
  const count = input.policies.length + input.objects.length;
  if (count === 0) {
    throw new VespidError('SIGN_INPUT_EMPTY', 'expected at least one policy or object to sign, found none', {
      hint: 'name policies (.yaml) or eBPF objects (.bpf.o) to sign',
    });
  }
  requireWithinLimit(count, BUNDLE_LIMITS.maxLayers, 'policies and objects');
}

interface AddedContent {
  readonly manifest: Descriptor;
  readonly outline: BundleOutline;
}

function addContent(input: BundleInput, predicate: BundlePredicate, blobs: LayoutBuilder): AddedContent {
  const policies = addLayers(input.policies, POLICY_MEDIA_TYPE, blobs);
  const objects = addLayers(input.objects, OBJECT_MEDIA_TYPE, blobs);
  const config: BundleConfig = {
    apiVersion: 'vespid.dev/v1',
    kind: 'Bundle',
    name: input.name,
    ...(input.version === undefined ? {} : { version: input.version }),
    config: { Labels: bpfmanLabels(predicate.programs) },
  };
  const document: BundleManifest = {
    schemaVersion: 2,
    mediaType: MANIFEST_MEDIA_TYPE,
    artifactType: BUNDLE_ARTIFACT_TYPE,
    config: blobs.add(CONFIG_MEDIA_TYPE, canonicalJson(config)),
    layers: [...policies, ...objects],
  };
  const manifest = blobs.add(MANIFEST_MEDIA_TYPE, canonicalJson(document));
  const outline: BundleOutline = {
    name: input.name,
    version: input.version,
    digest: manifest.digest,
    policies: policies.map(describeLayer),
    objects: objects.map(describeLayer),
  };
  return { manifest, outline };
}

/** One layer a file, by name; a verifier refuses two layers of one content, so the signer does, too. */
function addLayers(
  files: readonly NamedBytes[],
  mediaType: string,
  blobs: LayoutBuilder,
): readonly LayerDescriptor[] {
  const layers: LayerDescriptor[] = [];
  for (const { name, bytes } of [...files].sort((left, right) => compareText(left.name, right.name))) {
    const descriptor = describe(mediaType, bytes);
    // The empty config of attestations is a blob of the bundle, too, once it is signed.
    const isTaken = blobs.has(descriptor) || descriptor.digest === EMPTY_DESCRIPTOR.digest;
    if (isTaken) throw duplicateContent(name);
    const annotations = { [TITLE_ANNOTATION]: name };
    layers.push({ ...blobs.add(mediaType, bytes), annotations });
  }
  return layers;
}

function describeLayer({ annotations, digest, size }: LayerDescriptor): FileDescription {
  return { name: annotations[TITLE_ANNOTATION], digest, byteSize: size };
}

function duplicateContent(name: string): VespidError {
  return new VespidError(
    'SIGN_CONTENT_DUPLICATE',
    `expected files of different content, found in ${name} the bytes of another`,
    { hint: 'leave out one of the two: in a bundle, bytes have one name' },
  );
}

/** Never sign what every verifier would refuse: the statement goes through the verifier's own checks first. */
function encodeStatement(outline: BundleOutline, predicate: BundlePredicate): Uint8Array {
  const statement: Statement = {
    _type: STATEMENT_TYPE,
    subject: expectedSubjects(outline, predicate.programs),
    predicateType: PREDICATE_TYPE,
    predicate,
  };
  const bytes = canonicalJson(statement);
  try {
    checkStatementCovers(readStatement(bytes), outline);
  } catch (cause) {
    if (!(cause instanceof VespidError)) throw cause;
    throw new VespidError(
      'SIGN_CLAIM_INVALID',
      `the claims about programs cannot be signed: ${cause.message}`,
      { hint: 'claim each program of each object once, and only programs of these objects', cause },
    );
  }
  return bytes;
}
