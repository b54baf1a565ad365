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
export function formatIpAddress(address: IpAddress): string {
  if (address.family === 'ipv4') return address.bytes.join('.');
  if (isIpv4Mapped(address)) return `::ffff:${address.bytes.slice(12).join('.')}`;
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) {
    groups.push((((address.bytes[at] ?? 0) << 8) | (address.bytes[at + 1] ?? 0)).toString(16));
  }
  const zeros = longestZeroRun(groups);
  if (zeros.length < 2) return groups.join(':');
  return `${groups.slice(0, zeros.start).join(':')}::${groups.slice(zeros.start + zeros.length).join(':')}`;
}

/** The first of the longest runs of zero groups (RFC 5952 section 4.2.3). */
function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let at = 0; at <= groups.length; at++) {
    if (groups[at] === '0') continue;
    if (at - start > best.length) best = { start, length: at - start };
    start = at + 1;
  }
  return best;
}

/** The bytes with every bit past `prefixLength` zero. */
export function maskBytes(bytes: readonly number[], prefixLength: number): number[] {
  return bytes.map((byte, index) => {
    const bits = Math.max(0, Math.min(8, prefixLength - index * 8));
    return byte & (0xff << (8 - bits)) & 0xff;
  });
}
