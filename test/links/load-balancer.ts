import assert from 'node:assert/strict';
import { type BpfMap, u32Key } from '../../engine/kernel/index.js';
import { LoadedFixture } from './loaded-fixture.js';
import {
  address,
  ETHERNET_BYTES,
  encapsulated,
  flowHash,
  frame,
  IPV4_BYTES,
  internetChecksum,
  mac,
  type Packet,
} from './packets.js';

/** include/uapi/linux/bpf.h and pkt_cls.h */
const XDP = { aborted: 0, drop: 1, pass: 2, transmit: 3 } as const;
const TC = { ok: 0, shot: 2 } as const;

const VIP = '10.1.0.1';
const SELF = { address: address('10.0.0.1'), mac: mac(0x10) };
const FIRST_BACKEND = 5;
const BACKENDS = [1, 2, 3].map((last) => ({ address: address(`10.2.0.${last}`), mac: mac(0x20 + last) }));

/** `struct backend` */
const backendBytes = (backend: { readonly address: Uint8Array; readonly mac: Uint8Array }) =>
  Uint8Array.from([...backend.address, ...backend.mac, 0, 0]);

const big16 = (value: number) => Uint8Array.of(value >>> 8, value & 0xff);

/** Runs the load balancer on packets of every sort, and holds verdicts, bytes and counters to what they should be. */
export function checkLoadBalancer(object: Uint8Array): void {
  using fixture = new LoadedFixture(object, ['balance']);
  configure(fixture);
  const run = (data: Uint8Array) => fixture.program('balance').testRun({ data });
  const expected = new Map<number, bigint>();
  for (let flow = 0; flow < 200; flow++) {
    const packet = {
      source: `192.168.${flow % 7}.${flow}`,
      destination: VIP,
      sourcePort: 1024 + flow * 31,
      destinationPort: 80,
      protocol: 'tcp',
      payload: new Uint8Array(flow * 5).fill(flow),
    } satisfies Packet;
    const chosen = flowHash(packet) % BACKENDS.length;
    const backend = BACKENDS[chosen];
    assert.ok(backend !== undefined);
    const { returnValue, dataOut } = run(frame(packet));
    assert.equal(returnValue, XDP.transmit);
    assert.deepEqual([...dataOut], [...encapsulated(frame(packet), backend, SELF)]);
    const outer = dataOut.slice(ETHERNET_BYTES, ETHERNET_BYTES + IPV4_BYTES);
    assert.equal(internetChecksum(outer), 0);
    expected.set(chosen, (expected.get(chosen) ?? 0n) + 1n);
  }
  assert.equal(expected.size, BACKENDS.length, 'every backend has flows');
  for (const [chosen, count] of expected)
    assert.equal(packetsOf(fixture.map('packets'), FIRST_BACKEND + chosen), count);
  for (const { name, data, verdict } of unbalanced()) {
    const { returnValue, dataOut } = run(data);
    assert.equal(returnValue, verdict, name);
    assert.deepEqual([...dataOut], [...data], name);
  }
}

function configure(fixture: LoadedFixture): void {
  // `struct service_key`: address, port, protocol TCP; `struct service`: first backend, number
  const service = new Uint8Array(new Uint32Array([FIRST_BACKEND, BACKENDS.length]).buffer);
  fixture.map('services').update(Uint8Array.from([...address(VIP), ...big16(80), 6, 0]), service);
  const none = new Uint8Array(new Uint32Array([0, 0]).buffer);
  fixture.map('services').update(Uint8Array.from([...address(VIP), ...big16(443), 6, 0]), none);
  for (const [index, backend] of BACKENDS.entries()) {
    fixture.map('backends').update(u32Key(FIRST_BACKEND + index), backendBytes(backend));
  }
  fixture.map('self').update(u32Key(0), backendBytes(SELF));
}

function packetsOf(map: BpfMap, index: number): bigint {
  const values = new Uint8Array(map.valueBytes);
  map.lookup(u32Key(index), values);
  return new BigUint64Array(values.buffer).reduce((sum, value) => sum + value, 0n);
}

function unbalanced(): readonly {
  readonly name: string;
  readonly data: Uint8Array;
  readonly verdict: number;
}[] {
  const toVip: Packet = { source: '192.168.0.1', destination: VIP, protocol: 'tcp' };
  const ipv6 = frame(toVip);
  ipv6.set([0x86, 0xdd], 12);
  const options = frame(toVip);
  options[ETHERNET_BYTES] = 0x46;
  return [
    { name: 'another address', data: frame({ ...toVip, destination: '10.1.0.2' }), verdict: XDP.pass },
    { name: 'another port', data: frame({ ...toVip, destinationPort: 81 }), verdict: XDP.pass },
    { name: 'another protocol', data: frame({ ...toVip, protocol: 'udp' }), verdict: XDP.pass },
    { name: 'ICMP', data: frame({ ...toVip, protocol: 'icmp' }), verdict: XDP.pass },
    { name: 'IPv6', data: ipv6, verdict: XDP.pass },
    { name: 'a fragment', data: frame({ ...toVip, fragmentOffset: 100 }), verdict: XDP.drop },
    { name: 'IPv4 options', data: options, verdict: XDP.drop },
    {
      name: 'a service without backends',
      data: frame({ ...toVip, destinationPort: 443 }),
      verdict: XDP.drop,
    },
    { name: 'a packet that ends in its header', data: frame(toVip).slice(0, 30), verdict: XDP.drop },
  ];
}

/** Runs the tc filter: drops by source prefix and port, lowers the TTL of the rest. */
export function checkTrafficFilter(object: Uint8Array): void {
  using fixture = new LoadedFixture(object, ['filter']);
  const prefix = (text: string, bits: number) => Uint8Array.from([...u32Key(bits), ...address(text)]);
  fixture.map('sources').update(prefix('172.16.0.0', 12), u32Key(1));
  fixture.map('sources').update(prefix('172.16.5.0', 24), u32Key(0));
  fixture.map('closed_ports').update(big16(23), Uint8Array.of(1));
  const run = (packet: Partial<Packet>) => {
    const data = frame({ source: '192.0.2.1', destination: '10.0.0.9', protocol: 'tcp', ...packet });
    // `struct __sk_buff`: `mark` is its third word.
    return { data, ...fixture.program('filter').testRun({ data, context: new Uint8Array(192) }) };
  };
  const dropped: readonly [string, Partial<Packet>][] = [
    ['a source in the prefix', { source: '172.16.4.255' }],
    ['the end of the prefix', { source: '172.31.255.255' }],
    ['a closed port', { destinationPort: 23 }],
    ['a TTL that ends here', { ttl: 1 }],
  ];
  for (const [name, packet] of dropped) {
    const { returnValue, data, dataOut } = run(packet);
    assert.equal(returnValue, TC.shot, name);
    assert.deepEqual([...dataOut], [...data], name);
  }
  for (const packet of [{ source: '172.16.5.1' }, { source: '172.32.0.1' }, { ttl: 2 }, { ttl: 255 }]) {
    const { returnValue, data, dataOut, contextOut } = run(packet);
    assert.equal(returnValue, TC.ok);
    const ttl = (data[ETHERNET_BYTES + 8] ?? 0) - 1;
    const expected = frame({ source: '192.0.2.1', destination: '10.0.0.9', protocol: 'tcp', ...packet, ttl });
    assert.deepEqual([...dataOut], [...expected]);
    assert.equal(new DataView(contextOut.buffer, contextOut.byteOffset).getUint32(8, true), 7);
  }
}
