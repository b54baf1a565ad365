/** IPv4 packets, byte by byte, and what is true of them: written without a look at the programs that are tested. */

export interface Packet {
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp' | 'icmp';
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly ttl?: number;
  readonly fragmentOffset?: number;
  readonly payload?: Uint8Array;
}

const PROTOCOL = { icmp: 1, tcp: 6, udp: 17, ipip: 4 } as const;
export const ETHERNET_BYTES = 14;
export const IPV4_BYTES = 20;
const TRANSPORT_BYTES = { icmp: 8, tcp: 20, udp: 8 } as const;
const ETHERTYPE_IPV4 = 0x0800;

export const address = (text: string): Uint8Array => Uint8Array.from(text.split('.').map(Number));
export const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, last);

/** An Ethernet frame from {@link mac} 1 to {@link mac} 2. */
export function frame(packet: Packet): Uint8Array {
  const payload = packet.payload ?? new Uint8Array(16);
  const transportBytes = TRANSPORT_BYTES[packet.protocol];
  const bytes = new Uint8Array(ETHERNET_BYTES + IPV4_BYTES + transportBytes + payload.byteLength);
  const view = new DataView(bytes.buffer);
  bytes.set(mac(2), 0);
  bytes.set(mac(1), 6);
  view.setUint16(12, ETHERTYPE_IPV4);
  const ipv4 = ipv4Header({
    source: address(packet.source),
    destination: address(packet.destination),
    protocol: PROTOCOL[packet.protocol],
    ttl: packet.ttl ?? 64,
    fragment: packet.fragmentOffset ?? 0,
    totalBytes: bytes.byteLength - ETHERNET_BYTES,
  });
  bytes.set(ipv4, ETHERNET_BYTES);
  const transport = ETHERNET_BYTES + IPV4_BYTES;
  if (packet.protocol !== 'icmp') {
    view.setUint16(transport, packet.sourcePort ?? 40_000);
    view.setUint16(transport + 2, packet.destinationPort ?? 80);
  }
  bytes.set(payload, transport + transportBytes);
  return bytes;
}

interface Ipv4Header {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
  readonly protocol: number;
  readonly ttl: number;
  readonly fragment: number;
  readonly totalBytes: number;
}

export function ipv4Header(header: Ipv4Header): Uint8Array {
  const bytes = new Uint8Array(IPV4_BYTES);
  const view = new DataView(bytes.buffer);
  bytes[0] = 0x45;
  view.setUint16(2, header.totalBytes);
  view.setUint16(6, header.fragment);
  bytes[8] = header.ttl;
  bytes[9] = header.protocol;
  bytes.set(header.source, 12);
  bytes.set(header.destination, 16);
  view.setUint16(10, internetChecksum(bytes));
  return bytes;
}

/** RFC 1071, over bytes whose own checksum field is zero; over a whole header it is 0. */
export function internetChecksum(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let sum = 0;
  for (let at = 0; at < bytes.byteLength; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

/** The frame as the load balancer should send it: in an IPv4 tunnel to `to`, from us. */
export function encapsulated(
  inner: Uint8Array,
  to: { readonly address: Uint8Array; readonly mac: Uint8Array },
  from: { readonly address: Uint8Array; readonly mac: Uint8Array },
): Uint8Array {
  const packet = inner.subarray(ETHERNET_BYTES);
  const outer = ipv4Header({
    source: from.address,
    destination: to.address,
    protocol: PROTOCOL.ipip,
    ttl: 64,
    fragment: 0,
    totalBytes: IPV4_BYTES + packet.byteLength,
  });
  return Uint8Array.from([...to.mac, ...from.mac, 8, 0, ...outer, ...packet]);
}

/** The hash of a flow, as test/fixtures/bytecode/load-balancer.bpf.c states it; words are read little-endian. */
export function flowHash(
  packet: Required<Pick<Packet, 'source' | 'destination' | 'sourcePort' | 'destinationPort'>>,
): number {
  const word = (text: string) => new DataView(address(text).buffer).getUint32(0, true);
  const swapped = (port: number) => ((port & 0xff) << 8) | (port >>> 8);
  const mix = (hash: number, value: number) => {
    const product = Math.imul(hash ^ value, 0x9e3779b1) >>> 0;
    return (product ^ (product >>> 15)) >>> 0;
  };
  const ports = ((swapped(packet.sourcePort) << 16) | swapped(packet.destinationPort)) >>> 0;
  return mix(mix(mix(0x12345678, word(packet.source)), word(packet.destination)), ports);
}
