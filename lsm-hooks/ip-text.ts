/**
 * The one text form of an address, RFC 5952: what a condition compares with and what an event shows are spelled by
 * the same code.
 */

/** `10.0.0.7`: the four bytes at `byteOffset`. */
export function ipv4Text(bytes: Buffer, byteOffset: number): string {
  const byte = (index: number) => bytes.readUInt8(byteOffset + index);
  return `${byte(0)}.${byte(1)}.${byte(2)}.${byte(3)}`;
}

/** The canonical text (RFC 5952) of the 16 bytes at `byteOffset`, in network order. */
export function ipv6Text(bytes: Buffer, byteOffset: number): string {
  const groups: number[] = [];
  for (let index = 0; index < 16; index += 2) groups.push(bytes.readUInt16BE(byteOffset + index));
  // RFC 5952 section 5: an IPv4-mapped address keeps its dotted tail.
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${ipv4Text(bytes, byteOffset + 12)}`;
  }
  const { start, length } = longestZeroRun(groups);
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  // Section 4.2.2: "::" does not stand for a single group.
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}

/** Section 4.2.3: the first of the longest runs. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let index = 0; index <= groups.length; index++) {
    if (groups[index] === 0) continue;
    if (index - start > best.length) best = { start, length: index - start };
    start = index + 1;
  }
  return best;
}
