import type { BpfmanLabels } from './bpfman-labels.js';
import type { AttestedPredicate, Descriptor } from './oci-layout.js';

/** A file of a bundle with its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What goes into a bundle. */
export interface BundleInput {
  /** Name of the bundle, also the tag under which OCI tools find it. */
  readonly name: string;
  /** Semantic Versioning 2.0.0; a bundle without one is never older than another. */
  readonly version?: string;
  readonly policies: readonly NamedBytes[];
  readonly objects: readonly NamedBytes[];
}

/** The files of a bundle: path relative to its root, with `/`, to content. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** A policy or an object of a bundle, without its bytes. */
export interface FileDescription {
  readonly name: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  readonly byteSize: number;
}

/** Name, version and files of a bundle. */
export interface BundleOutline {
  readonly name: string;
  readonly version: string | undefined;
  /** Digest of the bundle's manifest, `sha256:<hex>`: the identity of the bundle. */
  readonly digest: string;
  readonly policies: readonly FileDescription[];
  readonly objects: readonly FileDescription[];
}

/** What a bundle says that it holds. Nothing here is trusted before its attestations are verified. */
export interface BundleContent extends BundleOutline {
  /** The bundle's manifest, whose digest {@link BundleOutline.digest} is. */
  readonly manifest: Descriptor;
  /** What it says of its programs to other tools. */
  readonly labels: BpfmanLabels;
  readonly attestations: readonly AttestationEntry[];
}

/** An attestation that a bundle carries, not yet read. */
export interface AttestationEntry {
  /** The manifest that attaches it, whose digest names the attestation. */
  readonly manifest: Descriptor;
  /** What it says that it is about; the signed payload has to say the same. */
  readonly predicateType: AttestedPredicate;
  /** The Sigstore bundle. */
  readonly blob: Descriptor;
}
