import { VespidError } from '../../errors/index.js';
import {
  bindSocket,
  errnoName,
  kernelCallError,
  receiveBytes,
  type SystemCallResult,
  sendBytes,
  setSocketOption,
  socketSystemCall,
} from '../system/libc.js';
import { OwnedFd } from '../system/owned-fd.js';
import {
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  type NetlinkAttribute,
  type NetlinkMessage,
} from './message.js';

/** Numbers of include/uapi/linux/netlink.h and socket.h. */
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2_000_000;
const NETLINK_ROUTE = 0;
const SOL_NETLINK = 270;
const OPTION = { capAck: 10, extendedAck: 11 } as const;
const MESSAGE_ERROR = 2;
const REQUEST = 1;
const ACKNOWLEDGE = 4;
/** NLM_F_ACK_TLVS: attributes follow the error. NLMSGERR_ATTR_MSG is a text. */
const HAS_ATTRIBUTES = 0x200;
const ERROR_TEXT = 1;
/** `struct sockaddr_nl`: the kernel gives us an address. */
const ADDRESS_BYTES = 12;
/** `int error` and the header of the request, which NETLINK_CAP_ACK keeps to itself. */
const ERROR_BYTES = 4 + 16;
/** NLMSG_GOODSIZE: the kernel's answers to what we ask are smaller. */
const ANSWER_BYTES = 32 * 1024;

export const NETLINK_FLAG = { replace: 0x100, exclusive: 0x200, create: 0x400 } as const;

export interface RouteRequest {
  /** RTM_* */
  readonly type: number;
  /** {@link NETLINK_FLAG}, besides REQUEST and ACK. */
  readonly flags?: number;
  /** `struct ifinfomsg`, `struct tcmsg`, … */
  readonly fixed: Uint8Array;
  readonly attributes: readonly NetlinkAttribute[];
}

/** A connection to rtnetlink (rtnetlink(7)) in the network namespace in which it was opened. */
export class RouteSocket extends OwnedFd {
  #sequence = 0;

  static open(): RouteSocket {
    const fd = required('socket', socketSystemCall(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE));
    const socket = new RouteSocket(fd);
    try {
      const address = new Uint8Array(ADDRESS_BYTES);
      address[0] = AF_NETLINK;
      required('bind', bindSocket(fd, address));
      const on = new Uint8Array(new Uint32Array([1]).buffer);
      for (const option of [OPTION.extendedAck, OPTION.capAck]) {
        required('setsockopt', setSocketOption(fd, SOL_NETLINK, option, on));
      }
      return socket;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /**
   * Sends a request and waits for the kernel's answer, which it has when the send returns.
   *
   * @param subject what is asked for, for the message: `a tc filter`
   * @throws VespidError NETLINK_REFUSED with the kernel's words, where it has some
   */
  request(request: RouteRequest, subject: string): void {
    const sequence = ++this.#sequence;
    const flags = REQUEST | ACKNOWLEDGE | (request.flags ?? 0);
    required(
      'send',
      sendBytes(this.fd, encodeMessage(request.type, flags, sequence, request.fixed, request.attributes)),
    );
    const answer = new Uint8Array(ANSWER_BYTES);
    for (;;) {
      const byteLength = required('recv', receiveBytes(this.fd, answer, 0));
      for (const message of decodeMessages(answer.subarray(0, byteLength))) {
        if (message.sequence !== sequence || message.type !== MESSAGE_ERROR) continue;
        const errno = -message.payload.i32(0);
        if (errno === 0) return;
        throw refusal(message, errno, subject);
      }
    }
  }
}

function refusal(message: NetlinkMessage, errno: number, subject: string): VespidError {
  const name = errnoName(errno);
  const text = errorText(message);
  return new VespidError(
    'NETLINK_REFUSED',
    `${subject} was refused: ${name}${text === '' ? '' : `: ${text}`}`,
    {
      details: { errno, errnoName: name, text },
    },
  );
}

/** The extended acknowledgement: the kernel's own explanation. */
function errorText({ flags, payload }: NetlinkMessage): string {
  if ((flags & HAS_ATTRIBUTES) === 0) return '';
  const rest = payload.part(ERROR_BYTES, payload.byteLength - ERROR_BYTES, 'extended acknowledgement');
  return decodeAttributes(rest).get(ERROR_TEXT)?.cString(0) ?? '';
}

function required(call: string, result: SystemCallResult): number {
  if ('value' in result) return result.value;
  throw kernelCallError(`netlink ${call}`, result.errno);
}
