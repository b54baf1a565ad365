/** True when both hold the same bytes. Not constant-time: for public data only. */
export function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
