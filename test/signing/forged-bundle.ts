import { IN_TOTO_PAYLOAD_TYPE, preAuthenticationEncoding } from '../../signing/attestation/dsse.js';
import {
  type Attestation,
  decodeSigstoreBundle,
  encodeSigstoreBundle,
  SIGSTORE_BUNDLE_MEDIA_TYPE,
} from '../../signing/attestation/sigstore-bundle.js';
import {
  blobPath,
  buildIndex,
  checkImageIndex,
  describe,
  INDEX_PATH,
} from '../../signing/bundle/oci-layout.js';
import { canonicalJson } from '../../signing/documents/canonical-json.js';
import type { BundleFiles, PrivateKey } from '../../signing/index.js';
import { sha256, utf8 } from './sample-bundle.js';

/** From the index to an attestation's own bytes there are three. */
const DEEPEST_REFERENCE = 6;

/** What an attacker can do who holds no key: change a file and make every digest and size on the way fit again. */
export function readdress(files: BundleFiles, path: string, bytes: Uint8Array, depth = 0): BundleFiles {
  if (depth > DEEPEST_REFERENCE) throw new Error('files that refer to one another in a circle');
  const forged = new Map(files);
  if (!path.startsWith('blobs/')) return forged.set(path, bytes);
  const oldHex = path.slice('blobs/sha256/'.length);
  forged.delete(path);
  forged.set(`blobs/sha256/${sha256(bytes)}`, bytes);
  const descriptor = new RegExp(`"digest":"sha256:${oldHex}","mediaType":"([^"]*)","size":[0-9]+`, 'g');
  const replacement = `"digest":"sha256:${sha256(bytes)}","mediaType":"$1","size":${bytes.length}`;
  let result: BundleFiles = forged;
  for (const referrer of forged.keys()) {
    // Through `result`, not `forged`: an earlier round may have changed the index already.
    const text = Buffer.from(result.get(referrer) ?? []).toString('latin1');
    const changed = text.replace(descriptor, replacement);
    if (changed !== text)
      result = readdress(result, referrer, Uint8Array.from(Buffer.from(changed, 'latin1')), depth + 1);
  }
  return sortIndex(result);
}

function sortIndex(files: BundleFiles): BundleFiles {
  const checked = checkImageIndex(JSON.parse(textOf(files, INDEX_PATH)));
  if ('error' in checked) return files;
  const [manifest, ...attestations] = checked.value.manifests;
  const name = manifest?.annotations?.['org.opencontainers.image.ref.name'];
  if (manifest === undefined || name === undefined) return files;
  return new Map(files).set(INDEX_PATH, canonicalJson(buildIndex(name, manifest, attestations)));
}

/** The same bundle with one file's text edited and everything that refers to it made to fit. */
export function editText(files: BundleFiles, path: string, edit: (text: string) => string): BundleFiles {
  const before = textOf(files, path);
  const after = edit(before);
  if (after === before) throw new Error(`the edit of ${path} changed nothing`);
  return readdress(files, path, utf8(after));
}

export function textOf(files: BundleFiles, path: string): string {
  const bytes = files.get(path);
  if (bytes === undefined) throw new Error(`no ${path}`);
  return new TextDecoder().decode(bytes);
}

/** Path of the only blob whose text contains all of `parts`. */
export function findBlob(files: BundleFiles, ...parts: string[]): string {
  const found = [...files.keys()].filter(
    (path) => path.startsWith('blobs/') && parts.every((part) => textOf(files, path).includes(part)),
  );
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} blobs with ${parts}`);
  return found[0];
}

export function sigstorePath(files: BundleFiles): string {
  return findBlob(files, '"dsseEnvelope"');
}

export function manifestPath(files: BundleFiles): string {
  return findBlob(files, '"artifactType":"application/vnd.vespid.bundle.v1"');
}

export function attestationManifestPath(files: BundleFiles): string {
  return findBlob(files, '"subject":{"digest"');
}

/** The only attestation of a bundle, decoded. */
export function attestationOf(files: BundleFiles): Attestation {
  return decodeSigstoreBundle(files.get(sigstorePath(files)) ?? new Uint8Array(), 'test');
}

/** What a trusted signer could be made to sign by mistake: another payload, or another payload type. */
export function resign(
  files: BundleFiles,
  signer: Pick<PrivateKey, 'keyId' | 'sign'>,
  editPayload: (payload: string) => string,
  payloadType = IN_TOTO_PAYLOAD_TYPE,
): BundleFiles {
  const path = sigstorePath(files);
  const { payload } = attestationOf(files);
  const forged = utf8(editPayload(new TextDecoder().decode(payload)));
  const signature = signer.sign(preAuthenticationEncoding(payloadType, forged));
  return readdress(
    files,
    path,
    encodeSigstoreBundle({
      payloadType,
      payload: forged,
      material: { kind: 'key', keyId: signer.keyId, signature },
    }),
  );
}

/**
 * Attaches one more Sigstore bundle, well-formed, whatever it says, by a manifest like that of `template`, which is
 * the same bundle with one attestation.
 */
export function attach(files: BundleFiles, sigstoreBundle: Uint8Array, template: BundleFiles): BundleFiles {
  const forged = new Map(files);
  const layer = describe(SIGSTORE_BUNDLE_MEDIA_TYPE, sigstoreBundle);
  const manifest = utf8(
    textOf(template, attestationManifestPath(template)).replace(
      /"layers":\[[^\]]*\]/,
      `"layers":[${new TextDecoder().decode(canonicalJson(layer))}]`,
    ),
  );
  const entry = describe('application/vnd.oci.image.manifest.v1+json', manifest);
  forged.set(blobPath(layer.digest), sigstoreBundle).set(blobPath(entry.digest), manifest);
  const index = textOf(files, INDEX_PATH);
  const artifactType = SIGSTORE_BUNDLE_MEDIA_TYPE;
  const added = new TextDecoder().decode(canonicalJson({ ...entry, artifactType }));
  forged.set(INDEX_PATH, utf8(index.replace('],"mediaType"', `,${added}],"mediaType"`)));
  return sortIndex(forged);
}
