import type { HookDefinition } from './definition.js';
import { PROCESS_FIELDS } from './process-fields.js';

/** A socket is connected to an IPv4 or IPv6 address. */
export const NET_CONNECT: HookDefinition = {
  name: 'net.connect',
  id: 3,
  doc: 'A process connects a socket to an IPv4 or IPv6 address, connect(2). Other families do not fire it.',
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
