import { NETLINK_FLAG, RouteSocket } from '../netlink/route-socket.js';
import type { BpfProgram } from '../programs/program.js';
import type { Attachment } from './bpf-link.js';
import { isRefusedWith } from './refused-with.js';
import { attachTcx, type TrafficDirection } from './tcx.js';

/** Numbers of include/uapi/linux/rtnetlink.h, pkt_sched.h and pkt_cls.h. */
const MESSAGE = { newQdisc: 36, newFilter: 44, deleteFilter: 45 } as const;
const CLSACT_PARENT = 0xffff_fff1;
const CLSACT_HANDLE = 0xffff_0000;
const FILTER_PARENT = { ingress: 0xffff_fff2, egress: 0xffff_fff3 } as const;
const ATTRIBUTE = { kind: 1, options: 2 } as const;
const BPF_ATTRIBUTE = { fd: 6, name: 7, flags: 8 } as const;
/** TCA_BPF_FLAG_ACT_DIRECT: the program's value is the verdict. */
const DIRECT_ACTION = 1;
/** ETH_P_ALL in network byte order, as `tcm_info` wants it. */
const ALL_PROTOCOLS = 0x0300;

export interface TcFilterOptions {
  /** 1 to 65535: lower runs earlier. Default 1. */
  readonly priority?: number;
  /** Tells filters of one priority apart. Default 1. */
  readonly handle?: number;
}

/**
 * A program of type sched_cls as a tc filter: on an interface's clsact queueing discipline, which is made if it is not
 * there and left in place, for other filters may have come. Ends with its owner; the kernel knows no owner, so it stays
 * when the process dies.
 */
export class TcFilter implements Attachment {
  readonly #socket: RouteSocket;
  readonly #fixed: Uint8Array;
  #closed = false;

  /** @throws VespidError NETLINK_REFUSED (EEXIST: priority and handle are taken), KERNEL_CALL_FAILED */
  constructor(
    program: BpfProgram,
    private readonly interfaceIndex: number,
    direction: TrafficDirection,
    { priority = 1, handle = 1 }: TcFilterOptions = {},
  ) {
    this.#fixed = trafficMessage(
      interfaceIndex,
      handle,
      FILTER_PARENT[direction],
      ((priority << 16) | ALL_PROTOCOLS) >>> 0,
    );
    this.#socket = RouteSocket.open();
    try {
      this.#ensureClsact();
      this.#set(program, NETLINK_FLAG.create | NETLINK_FLAG.exclusive);
    } catch (error) {
      this.#socket.close();
      throw error;
    }
  }

  update(program: BpfProgram): void {
    this.#set(program, NETLINK_FLAG.create | NETLINK_FLAG.replace);
  }

  #set(program: BpfProgram, flags: number): void {
    const options = [
      { type: BPF_ATTRIBUTE.fd, value: program.fd },
      { type: BPF_ATTRIBUTE.name, value: 'vespid' },
      { type: BPF_ATTRIBUTE.flags, value: DIRECT_ACTION },
    ];
    const attributes = [
      { type: ATTRIBUTE.kind, value: 'bpf' },
      { type: ATTRIBUTE.options, value: options },
    ];
    const request = { type: MESSAGE.newFilter, flags, fixed: this.#fixed, attributes };
    this.#socket.request(request, `a tc filter on interface ${this.interfaceIndex}`);
  }

  #ensureClsact(): void {
    try {
      this.#socket.request(
        {
          type: MESSAGE.newQdisc,
          flags: NETLINK_FLAG.create | NETLINK_FLAG.exclusive,
          fixed: trafficMessage(this.interfaceIndex, CLSACT_HANDLE, CLSACT_PARENT, 0),
          attributes: [{ type: ATTRIBUTE.kind, value: 'clsact' }],
        },
        `clsact on interface ${this.interfaceIndex}`,
      );
    } catch (error) {
      if (!isRefusedWith(error, 'EEXIST')) throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      const attributes = [{ type: ATTRIBUTE.kind, value: 'bpf' }];
      const request = { type: MESSAGE.deleteFilter, fixed: this.#fixed, attributes };
      this.#socket.request(request, `removing a tc filter of interface ${this.interfaceIndex}`);
    } catch (error) {
      // With the interface, or by another's hand, the filter is gone already.
      if (!isRefusedWith(error, 'ENODEV', 'ENOENT', 'EINVAL')) throw error;
    } finally {
      this.#socket.close();
    }
  }
}

/** `struct tcmsg` */
function trafficMessage(interfaceIndex: number, handle: number, parent: number, info: number): Uint8Array {
  const bytes = new Uint8Array(20);
  const view = new DataView(bytes.buffer);
  view.setInt32(4, interfaceIndex, true);
  view.setUint32(8, handle, true);
  view.setUint32(12, parent, true);
  view.setUint32(16, info, true);
  return bytes;
}

/**
 * Attaches a program of type sched_cls to an interface: by a tcx link from Linux 6.6, by a tc filter before. Which
 * others run, and in which order, is said by `attachTcx` and {@link TcFilter}.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED, NETLINK_REFUSED
 */
export function attachTc(
  program: BpfProgram,
  interfaceIndex: number,
  direction: TrafficDirection,
): Attachment {
  try {
    return attachTcx(program, interfaceIndex, direction);
  } catch (error) {
    // A kernel without tcx does not know the attach type.
    if (!isRefusedWith(error, 'EINVAL')) throw error;
    return new TcFilter(program, interfaceIndex, direction);
  }
}
