/** One value of the Distinguished Encoding Rules (ITU-T X.690). */
export interface DerValue {
  /** The identifier octet: class, constructed bit and a tag number below 31. */
  readonly tag: number;
  readonly content: Uint8Array;
}

export const DER_TAG = {
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
} as const;

/** Tag numbers from 31 on are written in further octets; nothing that we read has one. */
const LONG_TAG = 0x1f;
const LONG_LENGTH = 0x80;

/**
 * The values that fill `bytes` from the first byte to the last: definite lengths in their shortest form, up to
 * 65535 (section 10.1). Undefined when the bytes are anything else.
 */
export function readDer(bytes: Uint8Array): readonly DerValue[] | undefined {
  const values: DerValue[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const header = readHeader(bytes, offset);
    if (header === undefined) return undefined;
    const end = header.contentOffset + header.length;
    if (end > bytes.length) return undefined;
    values.push({ tag: header.tag, content: bytes.subarray(header.contentOffset, end) });
    offset = end;
  }
  return values;
}

/** The one value of this tag that fills `bytes`; undefined when it is anything else. */
export function readOneDer(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  const [value, ...others] = readDer(bytes) ?? [];
  return others.length === 0 && value?.tag === tag ? value.content : undefined;
}

function readHeader(
  bytes: Uint8Array,
  offset: number,
): { readonly tag: number; readonly length: number; readonly contentOffset: number } | undefined {
  const [tag, first, second, third] = bytes.subarray(offset, offset + 4);
  if (tag === undefined || first === undefined || (tag & LONG_TAG) === LONG_TAG) return undefined;
  if (first < LONG_LENGTH) return { tag, length: first, contentOffset: offset + 2 };
  if (first === 0x81 && second !== undefined && second >= LONG_LENGTH) {
    return { tag, length: second, contentOffset: offset + 3 };
  }
  if (first === 0x82 && second !== undefined && second !== 0 && third !== undefined) {
    return { tag, length: second * 256 + third, contentOffset: offset + 4 };
  }
  return undefined;
}
