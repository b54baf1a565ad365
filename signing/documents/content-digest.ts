import { createHash } from 'node:crypto';

/** Lower-case hexadecimal SHA-256, 64 characters. By OpenSSL: a bundle may be 64 MiB. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A digest in the form of the OCI image spec v1.1, descriptor.md "Digests": `sha256:<hex>`. */
export function contentDigest(bytes: Uint8Array): string {
  return `sha256:${sha256Hex(bytes)}`;
}
