/** A file of a bundle with its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What goes into a bundle. */
export interface BundleInput {
  /** Name of the bundle, also the tag under which OCI tools find it. */
  readonly name: string;
  readonly policies: readonly NamedBytes[];
  readonly objects: readonly NamedBytes[];
}

/** The files of a bundle: path relative to its root, with `/`, to content. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** What a bundle says that it holds. Nothing here is trusted before its attestations are verified. */
export interface BundleContent extends BundleInput {
  /** Digest of the bundle's manifest, `sha256:<hex>`: the identity of the bundle. */
  readonly digest: string;
  readonly attestations: readonly AttestationBlob[];
}

/** A stored attestation: the bytes of its Sigstore bundle, and the digest of the manifest that carries it. */
export interface AttestationBlob {
  readonly digest: string;
  readonly bytes: Uint8Array;
}
