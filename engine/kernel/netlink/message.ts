import { ByteReader } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';

/** `struct nlmsghdr` and `struct nlattr` of include/uapi/linux/netlink.h; both are padded to 4 bytes. */
export const MESSAGE_HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
/** NLA_F_NESTED and NLA_F_NET_BYTEORDER are not part of an attribute's type. */
const ATTRIBUTE_TYPE_MASK = 0x3fff;
const NESTED = 0x8000;
const LARGEST_ATTRIBUTE = 0xffff;

const align = (byteLength: number) => (byteLength + 3) & ~3;

/** An attribute to send: a number is a u32, a list is nested. */
export interface NetlinkAttribute {
  readonly type: number;
  readonly value: Uint8Array | string | number | readonly NetlinkAttribute[];
}

/** The bytes of attributes, one after the other. */
export function encodeAttributes(attributes: readonly NetlinkAttribute[]): Uint8Array {
  return Buffer.concat(attributes.map(encodeAttribute));
}

function encodeAttribute({ type, value }: NetlinkAttribute): Uint8Array {
  const payload = payloadOf(value);
  const byteLength = ATTRIBUTE_HEADER_BYTES + payload.byteLength;
  if (byteLength > LARGEST_ATTRIBUTE) {
    throw new VespidError('INTERNAL', `a netlink attribute of ${byteLength} bytes has no room`);
  }
  const bytes = new Uint8Array(align(byteLength));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, byteLength, true);
  view.setUint16(2, Array.isArray(value) ? type | NESTED : type, true);
  bytes.set(payload, ATTRIBUTE_HEADER_BYTES);
  return bytes;
}

function payloadOf(value: NetlinkAttribute['value']): Uint8Array {
  if (typeof value === 'number') return new Uint8Array(new Uint32Array([value]).buffer);
  if (typeof value === 'string') return new TextEncoder().encode(`${value}\0`);
  return value instanceof Uint8Array ? value : encodeAttributes(value);
}

/**
 * The attributes in `reader` by type; of several of one type the last.
 *
 * @throws VespidError NETLINK_MALFORMED, BYTES_OUT_OF_RANGE
 */
export function decodeAttributes(reader: ByteReader): Map<number, ByteReader> {
  const attributes = new Map<number, ByteReader>();
  for (let at = 0; at < reader.byteLength; ) {
    const byteLength = reader.u16(at);
    if (byteLength < ATTRIBUTE_HEADER_BYTES) {
      throw new VespidError('NETLINK_MALFORMED', `${reader.label}: an attribute of ${byteLength} bytes`);
    }
    const type = reader.u16(at + 2) & ATTRIBUTE_TYPE_MASK;
    const payload = byteLength - ATTRIBUTE_HEADER_BYTES;
    attributes.set(
      type,
      reader.part(at + ATTRIBUTE_HEADER_BYTES, payload, `${reader.label}: attribute ${type}`),
    );
    at += align(byteLength);
  }
  return attributes;
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: ByteReader;
}

/** A request: header, the fixed part of its family, attributes. */
export function encodeMessage(
  type: number,
  flags: number,
  sequence: number,
  fixed: Uint8Array,
  attributes: readonly NetlinkAttribute[],
): Uint8Array {
  const tail = encodeAttributes(attributes);
  const bodyOffset = MESSAGE_HEADER_BYTES + align(fixed.byteLength);
  const bytes = new Uint8Array(bodyOffset + tail.byteLength);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.byteLength, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, sequence, true);
  bytes.set(fixed, MESSAGE_HEADER_BYTES);
  bytes.set(tail, bodyOffset);
  return bytes;
}

/**
 * The messages of one datagram.
 *
 * @throws VespidError NETLINK_MALFORMED, BYTES_OUT_OF_RANGE
 */
export function decodeMessages(datagram: Uint8Array): NetlinkMessage[] {
  const reader = new ByteReader(datagram, 'netlink answer');
  const messages: NetlinkMessage[] = [];
  for (let at = 0; at < reader.byteLength; ) {
    const byteLength = reader.u32(at);
    if (byteLength < MESSAGE_HEADER_BYTES) {
      throw new VespidError('NETLINK_MALFORMED', `netlink answer: a message of ${byteLength} bytes`);
    }
    const payload = reader.part(
      at + MESSAGE_HEADER_BYTES,
      byteLength - MESSAGE_HEADER_BYTES,
      'netlink message',
    );
    messages.push({
      type: reader.u16(at + 4),
      flags: reader.u16(at + 6),
      sequence: reader.u32(at + 8),
      payload,
    });
    at += align(byteLength);
  }
  return messages;
}
