import { VespidError } from '../../errors/index.js';
import { type ByteOrder, ByteReader } from '../byte-reader.js';
import { BTF_HEADER_BYTES, BTF_MAGIC, BTF_VERSION, MAX_STRING_OFFSET } from './btf-format.js';

/** The two sections of a BTF blob. */
export interface BtfSections {
  readonly types: ByteReader;
  readonly strings: ByteReader;
}

/**
 * Splits a blob as the kernel does (btf_parse_hdr, btf_check_sec_info): types, then strings, nothing between
 * or after.
 * @param isSplit whether the blob continues another one, so that its strings do not begin with the empty one
 * @throws VespidError BTF_MALFORMED
 */
export function splitSections(bytes: Uint8Array, label: string, isSplit: boolean): BtfSections {
  const reader = new ByteReader(bytes, label, magicByteOrder(bytes));
  if (reader.byteLength < BTF_HEADER_BYTES || reader.u16(0) !== BTF_MAGIC) {
    throw malformed(label, `does not begin with the BTF magic 0x${BTF_MAGIC.toString(16)}`);
  }
  if (reader.u8(2) !== BTF_VERSION || reader.u8(3) !== 0) {
    throw malformed(label, `version 1 without flags expected, got ${reader.u8(2)} and flags ${reader.u8(3)}`);
  }
  const headerBytes = reader.u32(4);
  if (headerBytes < BTF_HEADER_BYTES || headerBytes % 4 !== 0 || headerBytes > reader.byteLength) {
    throw malformed(label, `header of ${headerBytes} bytes`);
  }
  if (reader.slice(BTF_HEADER_BYTES, headerBytes - BTF_HEADER_BYTES).some((byte) => byte !== 0)) {
    throw malformed(label, `header of ${headerBytes} bytes with fields that are not known`);
  }
  const typeBytes = reader.u32(12);
  const stringOffset = reader.u32(16);
  const stringBytes = reader.u32(20);
  if (reader.u32(8) !== 0 || typeBytes % 4 !== 0 || stringOffset !== typeBytes) {
    throw malformed(label, `types at ${reader.u32(8)} (${typeBytes} bytes), strings at ${stringOffset}`);
  }
  if (headerBytes + typeBytes + stringBytes !== reader.byteLength) {
    const described = headerBytes + typeBytes + stringBytes;
    throw malformed(label, `header describes ${described} bytes, but there are ${reader.byteLength}`);
  }
  const types = reader.part(headerBytes, typeBytes, `${label}: types`);
  const strings = reader.part(headerBytes + stringOffset, stringBytes, `${label}: strings`);
  checkStrings(strings, label, isSplit);
  return { types, strings };
}

/** The magic of BTF and BTF.ext is a 16-bit number, so that its first byte says the order of all others. */
export function magicByteOrder(bytes: Uint8Array): ByteOrder {
  return bytes[0] === BTF_MAGIC >>> 8 ? 'big-endian' : 'little-endian';
}

function checkStrings(strings: ByteReader, label: string, isSplit: boolean): void {
  const { byteLength } = strings;
  if (isSplit && byteLength === 0) return;
  const isTerminated = byteLength > 0 && strings.u8(byteLength - 1) === 0;
  const beginsWell = isSplit || (isTerminated && strings.u8(0) === 0);
  if (isTerminated && beginsWell && byteLength <= MAX_STRING_OFFSET) return;
  throw malformed(label, 'strings must begin and end with NUL and fit into 16 MB');
}

function malformed(label: string, message: string): VespidError {
  return new VespidError('BTF_MALFORMED', `${label}: ${message}`, {
    hint: 'the type information is damaged, or newer than what Vespid reads',
  });
}
