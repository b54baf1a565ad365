import { encodeAttributes, type NetlinkAttribute } from './message.js';
import { NETLINK_FLAG, type RouteSocket } from './route-socket.js';

/** Numbers of include/uapi/linux/rtnetlink.h and if_link.h. */
const MESSAGE = { newLink: 16, deleteLink: 17, newAddress: 20 } as const;
const LINK = { name: 3, info: 18, infoKind: 1, infoData: 2 } as const;
const VETH_PEER = 1;
const NETKIT_PEER = 1;
const ADDRESS = { address: 1, local: 2 } as const;
const AF_INET = 2;
/** IFF_UP */
const UP = 1;

/** `struct ifinfomsg` */
function interfaceMessage(index: number, flags: number, change: number): Uint8Array {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, flags, true);
  view.setUint32(12, change, true);
  return bytes;
}

function createInterface(
  socket: RouteSocket,
  name: string,
  kind: string,
  data: readonly NetlinkAttribute[],
): void {
  const info: NetlinkAttribute[] = [{ type: LINK.infoKind, value: kind }];
  if (data.length > 0) info.push({ type: LINK.infoData, value: data });
  socket.request(
    {
      type: MESSAGE.newLink,
      flags: NETLINK_FLAG.create | NETLINK_FLAG.exclusive,
      fixed: interfaceMessage(0, 0, 0),
      attributes: [
        { type: LINK.name, value: name },
        { type: LINK.info, value: info },
      ],
    },
    `${kind} interface ${name}`,
  );
}

/** The peer of a pair as an attribute: an interface message of its own. */
function peer(type: number, name: string): NetlinkAttribute {
  const attributes = encodeAttributes([{ type: LINK.name, value: name }]);
  return { type, value: Buffer.concat([interfaceMessage(0, 0, 0), attributes]) };
}

/** Two Ethernet devices that send to each other. */
export function createVethPair(socket: RouteSocket, name: string, peerName: string): void {
  createInterface(socket, name, 'veth', [peer(VETH_PEER, peerName)]);
}

/** Two devices whose packets BPF programs pass on: Linux 6.7. */
export function createNetkitPair(socket: RouteSocket, name: string, peerName: string): void {
  createInterface(socket, name, 'netkit', [peer(NETKIT_PEER, peerName)]);
}

/** A device that swallows what is sent to it. */
export function createDummy(socket: RouteSocket, name: string): void {
  createInterface(socket, name, 'dummy', []);
}

export function deleteInterface(socket: RouteSocket, index: number): void {
  socket.request(
    { type: MESSAGE.deleteLink, fixed: interfaceMessage(index, 0, 0), attributes: [] },
    `deleting interface ${index}`,
  );
}

export function bringUp(socket: RouteSocket, index: number): void {
  socket.request(
    { type: MESSAGE.newLink, fixed: interfaceMessage(index, UP, UP), attributes: [] },
    `bringing up interface ${index}`,
  );
}

/** Gives an interface an IPv4 address: `[10, 0, 0, 1]` and the length of its prefix. */
export function addAddress(
  socket: RouteSocket,
  index: number,
  address: readonly [number, number, number, number],
  prefixLength: number,
): void {
  // `struct ifaddrmsg`: family, prefix length, flags, scope, index
  const fixed = new Uint8Array(8);
  fixed.set([AF_INET, prefixLength]);
  new DataView(fixed.buffer).setUint32(4, index, true);
  const value = Uint8Array.from(address);
  socket.request(
    {
      type: MESSAGE.newAddress,
      flags: NETLINK_FLAG.create | NETLINK_FLAG.exclusive,
      fixed,
      attributes: [
        { type: ADDRESS.local, value },
        { type: ADDRESS.address, value },
      ],
    },
    `an address of interface ${index}`,
  );
}
