import type { Provenance } from '../attestation/provenance.js';
import type { ProvenanceSource } from '../attestation/provenance-source.js';
import type { Statement } from '../attestation/statement.js';
import type { Decision, SignerIdentity } from '../trust/decision.js';
import type { BundleOutline, FileDescription, NamedBytes } from './bundle-content.js';
import type { BundleLayout } from './bundle-layout.js';

/** A signer that the trust policy names and whose signature counted. */
export type VerifiedSigner = SignerIdentity & {
  /** Id in the trust policy. */
  readonly id: string;
};

/** SLSA provenance of a trusted signer about this bundle. */
export interface VerifiedProvenance extends ProvenanceSource {
  /** Id of the signer in the trust policy. */
  readonly signerId: string;
  readonly identity: SignerIdentity;
  readonly predicate: Provenance;
}

/** What is known of a bundle that enough trusted signers vouch for. */
export interface BundleFacts extends BundleOutline {
  /** What the signers state; hold it to the files before anything is loaded. */
  readonly statement: Statement;
  readonly provenance: readonly VerifiedProvenance[];
  /** Every signer that counted, once each, in the order of the bundle's attestations. */
  readonly signers: readonly VerifiedSigner[];
  readonly decision: Decision;
}

/** A policy or an object with bytes that have the digest which was signed. */
export interface VerifiedFile {
  readonly kind: 'policy' | 'object';
  readonly name: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** An accepted bundle whose files are read one by one, each when it is asked for. Only `judgeBundle` makes one. */
export class AcceptedBundle implements BundleFacts {
  readonly name: string;
  readonly version: string | undefined;
  readonly digest: string;
  readonly policies: readonly FileDescription[];
  readonly objects: readonly FileDescription[];
  readonly statement: Statement;
  readonly provenance: readonly VerifiedProvenance[];
  readonly signers: readonly VerifiedSigner[];
  readonly decision: Decision;
  readonly #layout: BundleLayout;

  constructor(facts: BundleFacts, layout: BundleLayout) {
    this.name = facts.name;
    this.version = facts.version;
    this.digest = facts.digest;
    this.policies = facts.policies;
    this.objects = facts.objects;
    this.statement = facts.statement;
    this.provenance = facts.provenance;
    this.signers = facts.signers;
    this.decision = facts.decision;
    this.#layout = layout;
  }

  /**
   * Policies, then objects, each in the order of the manifest. A file's bytes are read, and held to the size and the
   * digest that were signed, right before they are given out; none is kept.
   *
   * @throws VespidError BUNDLE_BLOB_SIZE_MISMATCH, BUNDLE_BLOB_DIGEST_MISMATCH, and those of the source
   */
  async *files(): AsyncGenerator<VerifiedFile, void, undefined> {
    yield* readFiles(this, this.#layout);
  }
}

/** Policies, then objects, each read when it is asked for. */
export async function* readFiles(
  { policies, objects }: Pick<BundleOutline, 'policies' | 'objects'>,
  layout: BundleLayout,
): AsyncGenerator<VerifiedFile, void, undefined> {
  for (const file of policies) yield await readFile('policy', file, layout);
  for (const file of objects) yield await readFile('object', file, layout);
}

async function readFile(
  kind: VerifiedFile['kind'],
  { name, digest, byteSize }: FileDescription,
  layout: BundleLayout,
): Promise<VerifiedFile> {
  return { kind, name, digest, bytes: await layout.read({ digest, size: byteSize }) };
}

/** An accepted bundle that carries the bytes of all its files: nothing reads the source again. */
export interface VerifiedBundle extends Omit<BundleFacts, 'policies' | 'objects'> {
  readonly policies: readonly NamedBytes[];
  readonly objects: readonly NamedBytes[];
}

/**
 * Reads every file of an accepted bundle.
 *
 * @param check is given each file when it is read, and throws to refuse the bundle
 * @throws VespidError those of {@link AcceptedBundle.files} and of `check`
 */
export async function readVerifiedBundle(
  bundle: AcceptedBundle,
  check: (file: VerifiedFile) => void = () => undefined,
): Promise<VerifiedBundle> {
  const policies: NamedBytes[] = [];
  const objects: NamedBytes[] = [];
  for await (const file of bundle.files()) {
    check(file);
    const { kind, name, bytes } = file;
    (kind === 'policy' ? policies : objects).push({ name, bytes });
  }
  const { name, version, digest, statement, provenance, signers, decision } = bundle;
  return { name, version, digest, statement, provenance, signers, decision, policies, objects };
}
