import { isIPv4, isIPv6 } from 'node:net';
import { VespidError } from '../../errors/index.js';

/** A little-endian u32, the key of array maps. */
export function u32Key(value: number): Uint8Array {
  const key = new Uint8Array(4);
  new DataView(key.buffer).setUint32(0, value, true);
  return key;
}

/**
 * The key of task, socket, inode and cgroup storage, and the value of maps that hold descriptors: an int. A task is
 * named by a pidfd, a cgroup by its directory.
 */
export function descriptorBytes(object: { readonly fd: number }): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, object.fd, true);
  return bytes;
}

/**
 * `struct bpf_lpm_trie_key` of include/uapi/linux/bpf.h: u32 prefix length in bits, then the data, most significant
 * byte first.
 *
 * @throws VespidError MAP_ELEMENT_SIZE for a prefix that is longer than the data
 */
export function lpmKey(data: Uint8Array, prefixBits: number): Uint8Array {
  if (!Number.isInteger(prefixBits) || prefixBits < 0 || prefixBits > data.byteLength * 8) {
    throw new VespidError(
      'MAP_ELEMENT_SIZE',
      `expected a prefix of 0 to ${data.byteLength * 8} bits, got ${prefixBits}`,
    );
  }
  const key = new Uint8Array(4 + data.byteLength);
  new DataView(key.buffer).setUint32(0, prefixBits, true);
  key.set(data, 4);
  return key;
}

/**
 * The key of an address or network: `10.1.0.0/16`, `2001:db8::/32`; without a length, of the address alone.
 *
 * @throws VespidError MAP_ELEMENT_SIZE
 */
export function networkKey(network: string): Uint8Array {
  const [address = '', length, ...rest] = network.split('/');
  const bytes = addressBytes(address);
  if (bytes === undefined || rest.length > 0 || (length !== undefined && !/^\d+$/.test(length))) {
    throw new VespidError('MAP_ELEMENT_SIZE', `expected ADDRESS or ADDRESS/BITS, got ${network}`);
  }
  return lpmKey(bytes, length === undefined ? bytes.byteLength * 8 : Number(length));
}

/** Bytes of an IPv4 or IPv6 address in network order; undefined for anything else. */
function addressBytes(address: string): Uint8Array | undefined {
  if (isIPv4(address)) return Uint8Array.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%')) return undefined;
  const embedded = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const [, before = '', ...quad] = embedded ?? [];
  const [a = 0, b = 0, c = 0, d = 0] = quad.map(Number);
  const plain =
    embedded === null ? address : `${before}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  const [head = [], tail] = plain.split('::').map((part) => (part === '' ? [] : part.split(':')));
  const zeros = tail === undefined ? 0 : 8 - head.length - tail.length;
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...(tail ?? [])];
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  for (const [index, group] of groups.entries()) view.setUint16(index * 2, Number.parseInt(group, 16));
  return bytes;
}
