/** Several byte strings as one input, so that a crasher is one file: a count, the lengths, the bytes. */
export function packParts(parts: readonly Uint8Array[]): Uint8Array {
  const headerBytes = 4 + 4 * parts.length;
  const packed = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, headerBytes));
  const view = new DataView(packed.buffer);
  view.setUint32(0, parts.length, true);
  let at = headerBytes;
  for (const [index, part] of parts.entries()) {
    view.setUint32(4 + 4 * index, part.byteLength, true);
    packed.set(part, at);
    at += part.byteLength;
  }
  return packed;
}

/** What {@link packParts} was given. */
export function unpackParts(packed: Uint8Array): Uint8Array[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const count = view.getUint32(0, true);
  let at = 4 + 4 * count;
  return Array.from({ length: count }, (_, index) => {
    const byteSize = view.getUint32(4 + 4 * index, true);
    at += byteSize;
    return packed.subarray(at - byteSize, at);
  });
}
