import { ipv4Text, ipv6Text } from '../../lsm-hooks/index.js';

/** An IPv4 (4 bytes) or IPv6 (16 bytes) address, in network order. */
export interface IpAddress {
  readonly family: 'ipv4' | 'ipv6';
  readonly bytes: readonly number[];
}

/** `::ffff:a.b.c.d`: an IPv4 address in IPv6 clothes, RFC 4291 section 2.5.5.2. */
export function isIpv4Mapped(address: IpAddress): boolean {
  const { family, bytes } = address;
  return (
    family === 'ipv6' &&
    bytes.slice(0, 10).every((byte) => byte === 0) &&
    bytes[10] === 0xff &&
    bytes[11] === 0xff
  );
}

/** The address that the text spells in any form of RFC 4291 section 2.2, or undefined. No zone, no prefix. */
export function parseIpAddress(text: string): IpAddress | undefined {
  const family = text.includes(':') ? 'ipv6' : 'ipv4';
  const bytes = family === 'ipv6' ? parseIpv6(text) : parseIpv4(text);
  return bytes === undefined ? undefined : { family, bytes };
}

function parseIpv4(text: string): number[] | undefined {
  const parts = text.split('.', 5);
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

/** The bytes of colon-separated groups; the last may be an IPv4 address if `allowIpv4Tail`. */
function parseGroups(text: string, allowIpv4Tail: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':', 9);
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const tail = allowIpv4Tail && index === groups.length - 1 ? parseIpv4(group) : undefined;
      if (tail === undefined) return undefined;
      bytes.push(...tail);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

function parseIpv6(text: string): number[] | undefined {
  const halves = text.split('::', 3);
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '', halves.length === 1);
  if (head === undefined) return undefined;
  if (halves.length === 1) return head.length === 16 ? head : undefined;
  const tail = parseGroups(halves[1] ?? '', true);
  // "::" stands for at least one group of zeros.
  if (tail === undefined || head.length + tail.length > 14) return undefined;
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

/** The canonical text of RFC 5952: the one form in which a condition and an event spell an address. */
export function formatIpAddress({ family, bytes }: IpAddress): string {
  return family === 'ipv4' ? ipv4Text(Buffer.from(bytes), 0) : ipv6Text(Buffer.from(bytes), 0);
}

/** The bytes with every bit past `prefixLength` zero. */
export function maskBytes(bytes: readonly number[], prefixLength: number): number[] {
  return bytes.map((byte, index) => {
    const bits = Math.max(0, Math.min(8, prefixLength - index * 8));
    return byte & (0xff << (8 - bits)) & 0xff;
  });
}
