import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

/** Lower-case hexadecimal SHA-256, 64 characters. */
export function sha256Hex(bytes: Uint8Array): string {
  return bytesToHex(sha256(bytes));
}

/** A digest in the form of the OCI image spec v1.1, descriptor.md "Digests": `sha256:<hex>`. */
export function contentDigest(bytes: Uint8Array): string {
  return `sha256:${sha256Hex(bytes)}`;
}
