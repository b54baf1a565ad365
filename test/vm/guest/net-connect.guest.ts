import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { parseIpAddress } from '../../../policies/language/index.js';
import { assertEvents, Enforcement, type ExpectedEvent, policyText, type Rule } from './enforcement.js';
import { guestTest } from './guest-test.js';
import { systemCall } from './system-calls.js';

const POLICY = {
  name: 'net-connect-test',
  hook: 'net.connect',
  severity: 'medium',
  attack: [
    {
      id: 'T1571',
      name: 'Non-Standard Port',
      tactics: ['command-and-control'],
      url: 'https://attack.mitre.org/techniques/T1571/',
    },
  ],
};

const DENIED_PORT = 4444;
const FREE_PORT = 4445;
const SEEN_PORT = 4446;
const UDP_PORT = 5353;
const BOUND_PORT = 4447;

const RULES = {
  loopback4: ['deny', `net.address == "127.0.0.1" && net.port == ${DENIED_PORT}`],
  loopback6: ['deny', `net.address == "::1" && net.port == ${DENIED_PORT}`],
  block4: ['deny', 'cidr("10.128.0.0/9").containsIP(net.address)'],
  block6: ['deny', 'cidr("fd00:aa00::/23").containsIP(net.address)'],
  udp: ['deny', `net.protocol == "udp" && net.port == ${UDP_PORT}`],
  bound: ['deny', `net.address == "127.0.0.9" && net.port == ${BOUND_PORT}`],
  seen: ['audit', `net.family == "ipv4" && net.protocol == "tcp" && net.port == ${SEEN_PORT}`],
} as const satisfies Record<string, readonly [Rule['effect'], string]>;
type RuleName = keyof typeof RULES;
const ruleIndex = (name: RuleName): number => Object.keys(RULES).indexOf(name);
const POLICY_TEXT = policyText(
  POLICY.name,
  { severity: POLICY.severity, attack: ['T1571'] },
  Object.values(RULES).map(([effect, when]) => ({ hook: 'net.connect', effect, when })),
);

const FAMILY = { unix: 1, ipv4: 2, ipv6: 10 } as const;
const TYPE = { tcp: 1, udp: 2 } as const;
const MSG_FASTOPEN = 0x2000_0000;

interface Destination {
  readonly address: string;
  readonly port: number;
  readonly protocol?: keyof typeof TYPE;
}

/** `struct sockaddr_in` or `struct sockaddr_in6`. */
function socketAddress({ address, port }: Destination): Uint8Array {
  const parsed = parseIpAddress(address);
  assert.ok(parsed !== undefined, address);
  const isVersion6 = parsed.family === 'ipv6';
  const bytes = Buffer.alloc(isVersion6 ? 28 : 16);
  bytes.writeUInt16LE(FAMILY[parsed.family], 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(parsed.bytes, isVersion6 ? 8 : 4);
  return bytes;
}

function withSocket(family: number, type: number, act: (fd: number) => number | string): string {
  const fd = systemCall('socket', family, type, 0);
  assert.ok(typeof fd === 'number', String(fd));
  try {
    const result = act(fd);
    return typeof result === 'string' ? result : 'ok';
  } finally {
    closeSync(fd);
  }
}

/**
 * connect(2) of a new socket, bound to an address before if one is given. A listener of this process takes it
 * later: its backlog is the kernel's.
 */
function connect(destination: Destination, source?: string): string {
  const address = socketAddress(destination);
  const family = address.length === 16 ? FAMILY.ipv4 : FAMILY.ipv6;
  return withSocket(family, TYPE[destination.protocol ?? 'tcp'], (fd) => {
    if (source !== undefined) {
      const local = socketAddress({ address: source, port: 0 });
      assert.equal(systemCall('bind', fd, local, local.length), 0);
    }
    return systemCall('connect', fd, address, address.length);
  });
}

/** sendto(2) of a socket that is not connected. */
function sendTo(destination: Destination, flags: number): string {
  const address = socketAddress(destination);
  const family = address.length === 16 ? FAMILY.ipv4 : FAMILY.ipv6;
  const data = Buffer.from('data');
  return withSocket(family, TYPE[destination.protocol ?? 'tcp'], (fd) =>
    systemCall('sendto', fd, data, data.length, flags, address, address.length),
  );
}

function connectUnix(path: string): string {
  const address = Buffer.alloc(110);
  address.writeUInt16LE(FAMILY.unix, 0);
  address.write(path, 2);
  return withSocket(FAMILY.unix, TYPE.tcp, (fd) => systemCall('connect', fd, address, address.length));
}

interface Row {
  readonly name: string;
  readonly act: () => string;
  readonly result: string;
  readonly events: readonly ExpectedEvent[];
}

function denied(rule: RuleName, address: string, port: number, protocol = 'tcp'): ExpectedEvent {
  const family = address.includes(':') ? 'ipv6' : 'ipv4';
  const net = { 'net.address': address, 'net.port': port, 'net.family': family, 'net.protocol': protocol };
  return {
    verdict: 'denied',
    rule: ruleIndex(rule),
    fields: { 'process.pid': process.pid, 'process.exe': '/usr/bin/node', ...net },
  };
}

const port = DENIED_PORT;
const ROWS: readonly Row[] = [
  {
    name: 'TCP over IPv4',
    act: () => connect({ address: '127.0.0.1', port }),
    result: 'EPERM',
    events: [denied('loopback4', '127.0.0.1', port)],
  },
  {
    name: 'TCP over IPv6',
    act: () => connect({ address: '::1', port }),
    result: 'EPERM',
    events: [denied('loopback6', '::1', port)],
  },
  {
    name: 'an IPv4 address mapped into IPv6 is that address',
    act: () => connect({ address: '::ffff:127.0.0.1', port }),
    result: 'EPERM',
    events: [denied('loopback4', '127.0.0.1', port)],
  },
  {
    name: '0.0.0.0 leads to the loopback address',
    act: () => connect({ address: '0.0.0.0', port }),
    result: 'EPERM',
    events: [denied('loopback4', '127.0.0.1', port)],
  },
  {
    name: ':: leads to the loopback address',
    act: () => connect({ address: '::', port }),
    result: 'EPERM',
    events: [denied('loopback6', '::1', port)],
  },
  {
    name: '::ffff:0.0.0.0 too',
    act: () => connect({ address: '::ffff:0.0.0.0', port }),
    result: 'EPERM',
    events: [denied('loopback4', '127.0.0.1', port)],
  },
  {
    name: '0.0.0.0 leads to the address that the socket is bound to',
    act: () => connect({ address: '0.0.0.0', port: BOUND_PORT }, '127.0.0.9'),
    result: 'EPERM',
    events: [denied('bound', '127.0.0.9', BOUND_PORT)],
  },
  {
    name: ':: on a socket bound to an IPv4-mapped address leads to 127.0.0.1',
    act: () => connect({ address: '::', port }, '::ffff:127.0.0.1'),
    result: 'EPERM',
    events: [denied('loopback4', '127.0.0.1', port)],
  },
  {
    name: 'TCP Fast Open connects without connect(2)',
    act: () => sendTo({ address: '127.0.0.1', port }, MSG_FASTOPEN),
    result: 'EPERM',
    events: [denied('loopback4', '127.0.0.1', port)],
  },
  {
    name: 'TCP Fast Open over IPv6',
    act: () => sendTo({ address: '::1', port }, MSG_FASTOPEN),
    result: 'EPERM',
    events: [denied('loopback6', '::1', port)],
  },
  {
    name: 'a block of IPv4, its first address',
    act: () => connect({ address: '10.128.0.0', port: 80 }),
    result: 'EPERM',
    events: [denied('block4', '10.128.0.0', 80)],
  },
  {
    name: 'just before the block',
    act: () => connect({ address: '10.127.255.255', port: 80 }),
    result: 'ENETUNREACH',
    events: [],
  },
  {
    name: 'just after the block',
    act: () => connect({ address: 'fd00:ac00::', port: 80 }),
    result: 'ENETUNREACH',
    events: [],
  },
  {
    name: 'a block of IPv6, its last address',
    act: () => connect({ address: 'fd00:abff:ffff:ffff:ffff:ffff:ffff:ffff', port: 80 }),
    result: 'EPERM',
    events: [denied('block6', 'fd00:abff:ffff:ffff:ffff:ffff:ffff:ffff', 80)],
  },
  {
    name: 'UDP',
    act: () => connect({ address: '127.0.0.1', port: UDP_PORT, protocol: 'udp' }),
    result: 'EPERM',
    events: [denied('udp', '127.0.0.1', UDP_PORT, 'udp')],
  },
  {
    name: 'another protocol on that port',
    act: () => connect({ address: '127.0.0.1', port: UDP_PORT }),
    result: 'ECONNREFUSED',
    events: [],
  },
  {
    name: 'audit reports and lets through',
    act: () => connect({ address: '127.0.0.1', port: SEEN_PORT }),
    result: 'ok',
    events: [{ ...denied('seen', '127.0.0.1', SEEN_PORT), verdict: 'audited' }],
  },
  {
    name: 'another port',
    act: () => connect({ address: '127.0.0.1', port: FREE_PORT }),
    result: 'ok',
    events: [],
  },
  { name: 'a Unix socket', act: () => connectUnix('/tmp/none'), result: 'ENOENT', events: [] },
  {
    name: 'not seen: a datagram of a socket that is not connected',
    act: () => sendTo({ address: '127.0.0.1', port: UDP_PORT, protocol: 'udp' }, 0),
    result: 'ok',
    events: [],
  },
];

/** Counts what really arrives. */
async function listen(
  ports: readonly number[],
): Promise<{ arrived: Map<number, number>; servers: Server[] }> {
  const arrived = new Map<number, number>();
  const servers = ports.map((listened) =>
    createServer((socket) => {
      arrived.set(listened, (arrived.get(listened) ?? 0) + 1);
      socket.destroy();
    }).listen(listened, '::'),
  );
  await Promise.all(servers.map((server) => once(server, 'listening')));
  return { arrived, servers };
}

guestTest('on the whole machine', { needs: ['bpf-lsm'] }, async (context) => {
  const { arrived, servers } = await listen([DENIED_PORT, FREE_PORT, SEEN_PORT]);
  try {
    using enforcement = new Enforcement(POLICY_TEXT);
    for (const row of ROWS) {
      await context.test(row.name, () => {
        const result = row.act();
        const events = enforcement.take();
        assert.equal(result, row.result);
        assertEvents(events, POLICY, row.events);
      });
    }
    for (let waits = 0; arrived.size < 2 && waits < 20; waits++) await setTimeout(50);
    assert.deepEqual(
      arrived,
      new Map([
        [SEEN_PORT, 1],
        [FREE_PORT, 1],
      ]),
    );
    const { lost, unjudged } = enforcement.session.counters();
    assert.deepEqual({ lost, unjudged }, { lost: 0, unjudged: 0 });
  } finally {
    for (const server of servers) server.close();
  }
});
