import { VespidError } from '../../engine/errors/index.js';
import { attestPayload } from '../attestation/attest-payload.js';
import type { AttestationSigner } from '../attestation/attestation-signer.js';
import { PREDICATE_TYPE } from '../attestation/bundle-predicate.js';
import { claimedIdentity } from '../attestation/claimed-identity.js';
import { IN_TOTO_PAYLOAD_TYPE } from '../attestation/dsse.js';
import { type Attestation, decodeSigstoreBundle } from '../attestation/sigstore-bundle.js';
import { readStatement, type Statement } from '../attestation/statement.js';
import { checkStatementCovers } from '../attestation/statement-check.js';
import { bytesEqual } from '../documents/bytes.js';
import { readFiles, type VerifiedFile } from './accepted-bundle.js';
import type { AttestationEntry, BundleContent, BundleFiles } from './bundle-content.js';
import { requireLabels } from './bundle-labels.js';
import { BundleLayout } from './bundle-layout.js';
import { BUNDLE_LIMITS, requireWithinLimit } from './bundle-limits.js';
import { readBundleContent } from './bundle-reader.js';
import type { BundleSource } from './bundle-source.js';
import { LayoutBuilder } from './layout-builder.js';
import { type AttestedPredicate, blobPath } from './oci-layout.js';

/**
 * Refuses, by throwing, a statement that does not say what the files hold: a signer vouches for what it saw, not for
 * what the first signer said.
 */
export type StatementCheck = (statement: Statement, files: readonly VerifiedFile[]) => void | Promise<void>;

/**
 * Adds the attestation of one more signer to the very statement that the others signed; nothing of what is signed
 * changes. A signer's earlier attestation is replaced, so adding twice with one key changes nothing.
 *
 * The other signatures are not verified: whoever adds his own decides by `check`, not by theirs.
 *
 * @param check is given the statement and every file of the bundle, before anything is signed
 * @throws VespidError BUNDLE_* when the bundle is not well-formed, BUNDLE_UNSIGNED when there is no statement yet,
 *   BUNDLE_ATTESTATIONS_DISAGREE when there are several, SIGN_ATTESTATION_INVALID, those of `check` and of the signer
 */
export async function addAttestation(
  source: BundleSource,
  signer: AttestationSigner,
  check: StatementCheck,
): Promise<BundleFiles> {
  const kept = new KeepingSource(source);
  const layout = await BundleLayout.open(kept);
  const content = await readBundleContent(layout);
  const earlier = await readAttestations(content, layout);
  const payload = requireOnePayload(earlier, content);
  const statement = readStatement(payload);
  checkStatementCovers(statement, content);
  requireLabels(content.labels, statement.predicate.programs);
  const files: VerifiedFile[] = [];
  for await (const file of readFiles(content, layout)) files.push(file);
  await check(statement, files);
  const bytes = await attestPayload(signer, IN_TOTO_PAYLOAD_TYPE, payload);
  const attestation = decodeSigstoreBundle(bytes, `attestation by ${signer.label}`);
  const added: StoredAttestation = { predicateType: PREDICATE_TYPE, bytes, attestation };
  return replaceAttestations(kept.files, content, [...withoutSigner(earlier, added), added]);
}

/** Keeps what is read, to write it again. */
class KeepingSource implements BundleSource {
  readonly files = new Map<string, Uint8Array>();
  readonly #source: BundleSource;

  constructor(source: BundleSource) {
    this.#source = source;
  }

  get label(): string {
    return this.#source.label;
  }

  list(): Promise<ReadonlyMap<string, number>> {
    return this.#source.list();
  }

  async read(path: string): Promise<Uint8Array> {
    const bytes = await this.#source.read(path);
    this.files.set(path, bytes);
    return bytes;
  }
}

interface StoredAttestation {
  readonly predicateType: AttestedPredicate;
  readonly bytes: Uint8Array;
  readonly attestation: Attestation;
}

async function readAttestations(
  { attestations }: BundleContent,
  layout: BundleLayout,
): Promise<readonly StoredAttestation[]> {
  const stored: StoredAttestation[] = [];
  for (const { manifest, predicateType, blob } of attestations) {
    const bytes = await layout.read(blob);
    const attestation = decodeSigstoreBundle(bytes, `attestation ${manifest.digest}`);
    stored.push({ predicateType, bytes, attestation });
  }
  return stored;
}

function requireOnePayload(stored: readonly StoredAttestation[], { digest }: BundleContent): Uint8Array {
  const [first, ...others] = stored.filter(({ predicateType }) => predicateType === PREDICATE_TYPE);
  if (first === undefined) {
    throw new VespidError('BUNDLE_UNSIGNED', `expected an attestation of ${digest} to add to, found none`, {
      hint: 'sign the policies and objects themselves: vespid sign INPUT... --key KEY --out BUNDLE',
    });
  }
  const { payload } = first.attestation;
  if (others.every(({ attestation }) => bytesEqual(attestation.payload, payload))) return payload;
  throw new VespidError(
    'BUNDLE_ATTESTATIONS_DISAGREE',
    'expected all attestations to be of one statement, found several statements',
    { hint: 'there is no one thing to sign; sign the policies and objects themselves, into a new bundle' },
  );
}

/** Signatures by one key may differ, and one of them may be false: the new one stands for them all. */
function withoutSigner(
  stored: readonly StoredAttestation[],
  added: StoredAttestation,
): readonly StoredAttestation[] {
  const signer = signerIn(added.attestation);
  return stored.filter(
    ({ predicateType, attestation }) =>
      predicateType !== added.predicateType || signerIn(attestation) !== signer,
  );
}

/** One text for one signer. */
function signerIn({ material }: Attestation): string {
  if (material.kind === 'key') return `key ${material.keyId}`;
  const { issuer, subject } = claimedIdentity(material, 'attestation');
  return `${issuer} ${subject}`;
}

function replaceAttestations(
  files: BundleFiles,
  content: BundleContent,
  attestations: readonly StoredAttestation[],
): BundleFiles {
  requireWithinLimit(attestations.length, BUNDLE_LIMITS.maxAttestations, 'attestations');
  const earlier = new Set(content.attestations.flatMap(pathsOf));
  const blobs = new LayoutBuilder(new Map([...files].filter(([path]) => !earlier.has(path))));
  const manifests = attestations.map(({ bytes, predicateType }) =>
    blobs.attach(bytes, content.manifest, predicateType),
  );
  return blobs.finish(content.name, content.manifest, manifests);
}

function pathsOf({ manifest, blob }: AttestationEntry): readonly string[] {
  return [blobPath(manifest.digest), blobPath(blob.digest)];
}
