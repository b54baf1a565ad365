/** How values of one type stand in memory, as a program sees it. */
export interface Codec<Value> {
  readonly byteSize: number;
  /** Writes all of `target`, which has exactly `byteSize` bytes, padding as zeros. */
  encode(value: Value, target: Uint8Array): void;
  /** Reads from exactly `byteSize` bytes, and keeps no view of them. */
  decode(bytes: Uint8Array): Value;
}

/** The bytes of a value, new each time. */
export function encodeWith<Value>(codec: Codec<Value>, value: Value): Uint8Array {
  const bytes = new Uint8Array(codec.byteSize);
  codec.encode(value, bytes);
  return bytes;
}

/** Bytes as they are. */
export function bytesCodec(byteSize: number): Codec<Uint8Array> {
  return {
    byteSize,
    encode: (value, target) => target.set(value.subarray(0, byteSize)),
    decode: (bytes) => bytes.slice(),
  };
}
