import { type FieldPath, type Label, R0, R1, R2, R3, R6, R7, R8, R10 } from '../engine/bytecode/index.js';
import type { AttachableHook, AttachPoint } from './attach-candidate.js';
import type { HookDefinition } from './definition.js';
import { PROCESS_FIELDS } from './process-fields.js';
import { type Frame, probeRead } from './program/frame.js';
import { kernelField } from './program/kernel-types.js';
import { PROCESS_READERS } from './program/process-readers.js';
import type { FieldReaders } from './program/readers.js';
import { CGROUP_RETURNS, LSM_RETURNS } from './program/returns.js';
import { SCRATCH } from './program/scratch-layout.js';

/** A socket is connected to an IPv4 or IPv6 address. */
export const NET_CONNECT: HookDefinition = {
  name: 'net.connect',
  id: 3,
  doc: 'A process connects a socket to an IPv4 or IPv6 address, by connect(2) or by TCP Fast Open. Other families do not fire it.',
  fields: [
    ...PROCESS_FIELDS,
    { name: 'net.address', type: { kind: 'ip' }, doc: 'destination address', example: '10.0.0.7' },
    { name: 'net.port', type: { kind: 'int' }, doc: 'destination port', example: '443' },
    {
      name: 'net.family',
      type: { kind: 'enum', values: { ipv4: 2, ipv6: 10 } },
      doc: 'address family',
      example: 'ipv4',
    },
    {
      name: 'net.protocol',
      type: {
        kind: 'enum',
        values: { icmp: 1, tcp: 6, udp: 17, dccp: 33, icmpv6: 58, sctp: 132, mptcp: 262 },
      },
      doc: 'transport protocol of the socket',
      example: 'tcp',
    },
  ],
};

const AF_INET = 2;
const AF_INET6 = 10;
/** The third word of ::ffff:a.b.c.d as a little-endian load gives it. */
const IPV4_MAPPED_WORD = 0xffff_0000;
/** include/linux/socket.h */
const MSG_FASTOPEN = 0x2000_0000;

/** The destination in the working memory, the same from every attach point: u32 family, u32 0, 16 address bytes,
 * u16 port in network order, u16 0. The first 24 bytes are a record's `ip` slot. */
const FAMILY = SCRATCH.hookData;
const ADDRESS = SCRATCH.hookData + 8;
const PORT = SCRATCH.hookData + 24;

function readers(readProtocol: (frame: Frame) => void): FieldReaders {
  return {
    integers: {
      ...PROCESS_READERS.integers,
      'net.port': ({ assembler }) => void assembler.load(2, R0, R7, PORT).toBigEndian(R0, 16),
      'net.family': ({ assembler }) => void assembler.load(4, R0, R7, FAMILY),
      'net.protocol': readProtocol,
    },
    strings: PROCESS_READERS.strings,
    memory: { 'net.address': FAMILY },
  };
}

function emitClearDestination({ assembler }: Frame): void {
  assembler.moveImmediate(R1, 0);
  for (let offset = 0; offset < 32; offset += 8) assembler.store(8, R7, FAMILY + offset, R1);
}

/** How an attach point reads the address that the socket is bound to, 0 when to none. Keeps R6 to R9. */
interface BoundSource {
  /** R0 = the IPv4 address as it stands in memory. */
  readonly version4: (frame: Frame) => void;
  /** R0 = the third word of the IPv6 address: 0xffff0000 when it is an IPv4-mapped one. */
  readonly version6Word2: (frame: Frame) => void;
}

/**
 * Where the kernel will really connect to, so that a policy on an address is not passed by writing it otherwise:
 * ::ffff:a.b.c.d is the IPv4 address a.b.c.d. 0.0.0.0 stands for the address that the socket is bound to, or
 * 127.0.0.1 (ip_route_output_key_hash_rcu()); :: stands for ::1, or 127.0.0.1 on a socket that is bound to an
 * IPv4-mapped address (tcp_v6_connect(), __ip6_datagram_connect()).
 */
function emitRealDestination(frame: Frame, source: BoundSource): void {
  emitUnmap(frame);
  const { assembler } = frame;
  const version4 = assembler.label('IPv4 destination');
  const loopback4 = assembler.label('IPv4 loopback');
  const specified = assembler.label('not the unspecified address');
  assembler
    .load(8, R1, R7, ADDRESS)
    .jumpIfImmediate('!=', R1, 0, specified)
    .load(8, R1, R7, ADDRESS + 8)
    .jumpIfImmediate('!=', R1, 0, specified)
    .load(4, R1, R7, FAMILY)
    .jumpIfImmediate('==', R1, AF_INET, version4);
  source.version6Word2(frame);
  assembler
    .storeImmediate(4, R7, FAMILY, AF_INET)
    .jump32IfImmediate('==', R0, IPV4_MAPPED_WORD, loopback4)
    .storeImmediate(4, R7, FAMILY, AF_INET6)
    .storeImmediate(1, R7, ADDRESS + 15, 1)
    .jump(specified)
    .place(version4);
  source.version4(frame);
  assembler
    .store(4, R7, ADDRESS, R0)
    .jumpIfImmediate('!=', R0, 0, specified)
    .place(loopback4)
    .storeImmediate(1, R7, ADDRESS, 127)
    .storeImmediate(1, R7, ADDRESS + 3, 1)
    .place(specified);
}

/** In a program that has the kernel's `struct socket` in R8. */
const SOCKET_SOURCE: BoundSource = {
  version4: (frame) =>
    frame.readHookField(
      [kernelField('socket', 'sk'), kernelField('sock', '__sk_common', 'skc_rcv_saddr')],
      4,
    ),
  version6Word2: (frame) => {
    const none = frame.assembler.label('no sock');
    frame.readHookField([kernelField('socket', 'sk')], 8);
    frame.assembler
      .jumpIfImmediate('==', R0, 0, none)
      .move(R3, R0)
      .addFieldOffset(R3, kernelField('sock', '__sk_common', 'skc_v6_rcv_saddr'))
      .aluImmediate('add', R3, 8);
    probeRead(frame.assembler, 4);
    frame.assembler.place(none);
  },
};

function emitUnmap({ assembler }: Frame): void {
  const keep = assembler.label('not IPv4-mapped');
  assembler
    .load(4, R1, R7, FAMILY)
    .jumpIfImmediate('!=', R1, AF_INET6, keep)
    .load(8, R1, R7, ADDRESS)
    .jumpIfImmediate('!=', R1, 0, keep)
    .load(4, R1, R7, ADDRESS + 8)
    .jump32IfImmediate('!=', R1, IPV4_MAPPED_WORD, keep)
    .load(4, R1, R7, ADDRESS + 12)
    .store(4, R7, ADDRESS, R1)
    .storeImmediate(4, R7, ADDRESS + 8, 0)
    .storeImmediate(4, R7, ADDRESS + 12, 0)
    .storeImmediate(4, R7, FAMILY, AF_INET)
    .place(keep);
}

/** `int socket_connect(struct socket *sock, struct sockaddr *address, int addrlen)`. */
const LSM: AttachPoint = {
  section: 'lsm/socket_connect',
  functionName: 'net_connect_lsm',
  access: 'direct',
  readers: readers(readSocketProtocol),
  returns: LSM_RETURNS,
  scopedByAttachment: false,
  filter: filterInternet,
  setup: (frame, ignore) => setupFromSocketAddress(frame, ignore, []),
};

/** AF_SMC and IPPROTO_SMC: sockets that carry TCP, and fall back to it where the other side knows no SMC. */
const AF_SMC = 43;
const IPPROTO_SMC = 256;
const IPPROTO_TCP = 6;

function readSocketProtocol(frame: Frame): void {
  const { assembler } = frame;
  const tcp = assembler.label('carries TCP');
  const done = assembler.label('protocol known');
  const sock = (...path: string[]) => [kernelField('socket', 'sk'), kernelField('sock', ...path)];
  frame.readHookField(sock('__sk_common', 'skc_family'), 2);
  assembler.jumpIfImmediate('==', R0, AF_SMC, tcp);
  frame.readHookField(sock('sk_protocol'), 2);
  assembler
    .jumpIfImmediate('!=', R0, IPPROTO_SMC, done)
    .place(tcp)
    .moveImmediate(R0, IPPROTO_TCP)
    .place(done);
}

function filterInternet({ assembler }: Frame, ignore: Label): void {
  const internet = assembler.label('internet address');
  assembler
    .load(8, R1, R6, 8)
    .loadField(2, R1, R1, kernelField('sockaddr', 'sa_family'))
    .jumpIfImmediate('==', R1, AF_INET, internet)
    .jumpIfImmediate('!=', R1, AF_INET6, ignore)
    .place(internet);
}

/**
 * `int socket_sendmsg(struct socket *sock, struct msghdr *msg, int size)`: sending with MSG_FASTOPEN connects a TCP
 * socket without the hook above.
 */
const LSM_FAST_OPEN: AttachPoint = {
  ...LSM,
  section: 'lsm/socket_sendmsg',
  functionName: 'net_fast_open_lsm',
  filter: ({ assembler }, ignore) => {
    assembler
      .load(8, R1, R6, 8)
      .loadField(4, R1, R1, kernelField('msghdr', 'msg_flags'))
      .aluImmediate('and', R1, MSG_FASTOPEN)
      .jumpIfImmediate('==', R1, 0, ignore);
  },
  setup: (frame, ignore) => setupFromSocketAddress(frame, ignore, [kernelField('msghdr', 'msg_name')]),
};

/**
 * `struct sockaddr_in`: family 0, port 2, address 4. `struct sockaddr_in6`: family 0, port 2, flow 4, address 8
 * (include/uapi/linux/in.h, in6.h). The kernel copied the address from user space into a sockaddr_storage before
 * it called the hook, so 24 bytes are always there and nobody can change them now.
 *
 * @param toAddress from the hook's second argument to the address; empty when it is the address
 */
function setupFromSocketAddress(frame: Frame, ignore: Label, toAddress: readonly FieldPath[]): void {
  const { assembler } = frame;
  const version4 = assembler.label('IPv4');
  const version6 = assembler.label('IPv6');
  const done = assembler.label('address copied');
  emitClearDestination(frame);
  assembler.load(8, R3, R6, 8);
  for (const step of toAddress) assembler.loadField(8, R3, R3, step);
  assembler
    .move(R1, R10)
    .aluImmediate('add', R1, -32)
    .moveImmediate(R2, 24)
    .callHelper('probe_read_kernel')
    .jumpIfImmediate('!=', R0, 0, ignore)
    .load(8, R8, R6, 0)
    .load(2, R1, R10, -30)
    .store(2, R7, PORT, R1)
    .load(2, R1, R10, -32)
    .store(4, R7, FAMILY, R1)
    .jumpIfImmediate('==', R1, AF_INET6, version6)
    .jumpIfImmediate('==', R1, AF_INET, version4)
    .jump(ignore)
    .place(version4)
    .load(4, R1, R10, -28)
    .store(4, R7, ADDRESS, R1)
    .jump(done)
    .place(version6)
    .load(8, R1, R10, -24)
    .store(8, R7, ADDRESS, R1)
    .load(8, R1, R10, -16)
    .store(8, R7, ADDRESS + 8, R1)
    .place(done);
  emitRealDestination(frame, SOCKET_SOURCE);
}

/** Offsets in `struct bpf_sock_addr`, include/uapi/linux/bpf.h. */
const SOCK_ADDR = { ip4: 4, ip6: 8, port: 24, protocol: 36, sk: 64 } as const;
/** Offsets in `struct bpf_sock`. */
const SOCK = { ip4: 24, ip6: 28 } as const;

/** A word of the `struct bpf_sock` of the context, 0 when there is none. */
function readSocketWord({ assembler }: Frame, offset: number): void {
  const none = assembler.label('no socket');
  assembler
    .load(8, R0, R6, SOCK_ADDR.sk)
    .jumpIfImmediate('==', R0, 0, none)
    .load(4, R0, R0, offset)
    .place(none);
}

const CONTEXT_SOURCE: BoundSource = {
  version4: (frame) => readSocketWord(frame, SOCK.ip4),
  version6Word2: (frame) => readSocketWord(frame, SOCK.ip6 + 8),
};

/** BPF_CGROUP_INET4_CONNECT and BPF_CGROUP_INET6_CONNECT. */
function cgroupPoint(version: 4 | 6): AttachPoint {
  return {
    section: `cgroup/connect${version}`,
    functionName: `net_connect${version}`,
    access: 'direct',
    readers: readers(({ assembler }) => void assembler.load(4, R0, R6, SOCK_ADDR.protocol)),
    returns: CGROUP_RETURNS,
    scopedByAttachment: true,
    setup: (frame) => {
      const { assembler } = frame;
      emitClearDestination(frame);
      assembler.moveImmediate(R8, 0).load(4, R1, R6, SOCK_ADDR.port).store(2, R7, PORT, R1);
      assembler.storeImmediate(4, R7, FAMILY, version === 4 ? AF_INET : AF_INET6);
      if (version === 4) {
        assembler.load(4, R1, R6, SOCK_ADDR.ip4).store(4, R7, ADDRESS, R1);
      } else {
        for (let word = 0; word < 16; word += 4) {
          assembler.load(4, R1, R6, SOCK_ADDR.ip6 + word).store(4, R7, ADDRESS + word, R1);
        }
      }
      emitRealDestination(frame, CONTEXT_SOURCE);
    },
  };
}

export const NET_CONNECT_HOOK: AttachableHook = {
  definition: NET_CONNECT,
  candidates: [
    {
      id: 'lsm',
      requires: 'bpf-lsm',
      effects: ['audit', 'deny', 'kill'],
      weaker: {},
      guarantee: 'deny gives the caller EPERM and no packet is sent',
      points: [LSM, LSM_FAST_OPEN],
    },
    {
      id: 'cgroup',
      requires: 'cgroup-sock-addr',
      effects: ['audit', 'deny'],
      weaker: {
        kill: {
          effect: 'deny',
          reason: 'a cgroup program cannot send a signal; it can refuse the connection',
        },
      },
      guarantee: 'deny gives the caller EPERM and no packet is sent',
      points: [cgroupPoint(4), cgroupPoint(6)],
    },
  ],
};
