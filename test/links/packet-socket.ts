import { OwnedFd } from '../../engine/kernel/index.js';
import {
  bindSocket,
  errnoName,
  kernelCallError,
  receiveBytes,
  type SystemCallResult,
  sendBytes,
  socketSystemCall,
} from '../../engine/kernel/system/libc.js';

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC = 3 | 0o2_000_000;
const MSG_DONTWAIT = 0x40;
/** ETH_P_ALL in network byte order. */
const ALL_PROTOCOLS = 0x0300;

/** A socket that sends whole Ethernet frames out of one interface (packet(7)). */
export class PacketSocket extends OwnedFd {
  static open(interfaceIndex: number): PacketSocket {
    const socket = new PacketSocket(required(socketSystemCall(AF_PACKET, SOCK_RAW_CLOEXEC, 0)));
    // `struct sockaddr_ll`
    const address = new Uint8Array(20);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_PACKET, true);
    view.setUint16(2, ALL_PROTOCOLS, true);
    view.setInt32(4, interfaceIndex, true);
    required(bindSocket(socket.fd, address));
    return socket;
  }

  send(frame: Uint8Array): void {
    required(sendBytes(this.fd, frame));
  }

  /** Takes what has come; gives the number of frames. */
  received(): number {
    const bytes = new Uint8Array(2048);
    for (let count = 0; ; count++) {
      const result = receiveBytes(this.fd, bytes, MSG_DONTWAIT);
      if ('value' in result) continue;
      if (errnoName(result.errno) === 'EAGAIN') return count;
      required(result);
    }
  }
}

function required(result: SystemCallResult): number {
  if ('value' in result) return result.value;
  throw kernelCallError('packet socket', result.errno);
}

/** A broadcast Ethernet frame with an IPv4 UDP packet of `payloadBytes` zeros from 10.0.0.1 to 10.0.0.2:9. */
export function udpFrame(payloadBytes: number): Uint8Array {
  const frame = new Uint8Array(14 + 20 + 8 + payloadBytes);
  const view = new DataView(frame.buffer);
  frame.fill(0xff, 0, 6);
  frame.set([2, 0, 0, 0, 0, 1], 6);
  view.setUint16(12, 0x0800);
  frame.set([0x45, 0], 14);
  view.setUint16(16, frame.byteLength - 14);
  frame.set([64, 17], 22);
  frame.set([10, 0, 0, 1, 10, 0, 0, 2], 26);
  view.setUint16(34, 1234);
  view.setUint16(36, 9);
  view.setUint16(38, 8 + payloadBytes);
  let sum = 0;
  for (let at = 14; at < 34; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  view.setUint16(24, ~sum & 0xffff);
  return frame;
}
