import { attachProgramTo } from '../commands/link-commands.js';
import type { BpfMap } from '../maps/map.js';
import type { BpfProgram } from '../programs/program.js';
import { kernelCallError, setSocketOption } from '../system/libc.js';
import { ResourceStack } from '../system/resource-stack.js';

/** include/uapi/asm-generic/socket.h */
const SOL_SOCKET = 1;
const OPTION = { detachFilter: 27, attachBpf: 50, attachReuseportBpf: 52 } as const;

function setOption(socketFd: number, option: number, value: number, name: string): void {
  const bytes = new Uint8Array(new Int32Array([value]).buffer);
  const result = setSocketOption(socketFd, SOL_SOCKET, option, bytes);
  if ('errno' in result) throw kernelCallError(`setsockopt ${name}`, result.errno);
}

/**
 * Filters what a socket receives (SO_ATTACH_BPF). The filter goes with the socket, or with its owner: dispose of it
 * before the socket is closed. A later filter takes the place of the one before.
 *
 * @param socketFd stays the caller's
 * @throws VespidError KERNEL_CALL_FAILED
 */
export function attachSocketFilter(program: BpfProgram, socketFd: number): Disposable {
  setOption(socketFd, OPTION.attachBpf, program.fd, 'SO_ATTACH_BPF');
  return { [Symbol.dispose]: () => setOption(socketFd, OPTION.detachFilter, 0, 'SO_DETACH_FILTER') };
}

/** Chooses among the sockets of a reuseport group (SO_ATTACH_REUSEPORT_EBPF), for as long as the group is there. */
export function attachReuseport(program: BpfProgram, socketFd: number): void {
  setOption(socketFd, OPTION.attachReuseportBpf, program.fd, 'SO_ATTACH_REUSEPORT_EBPF');
}

/**
 * Attaches a program of type sk_msg or sk_skb to the sockets of a sockmap or sockhash (BPF_PROG_ATTACH).
 *
 * @param attachType enum bpf_attach_type: that with which the program was loaded
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED
 */
export function attachToSockmap(program: BpfProgram, map: BpfMap, attachType: number): Disposable {
  using held = new ResourceStack();
  // Detaching needs both again, and by then the caller may have closed his.
  const attach = {
    target: held.use(map.duplicate()).fd,
    programFd: held.use(program.duplicate()).fd,
    attachType,
    flags: 0,
  };
  const subject = `the sockets of map ${map.definition.name}`;
  attachProgramTo('PROG_ATTACH', attach, subject);
  held.use({ [Symbol.dispose]: () => attachProgramTo('PROG_DETACH', attach, subject) });
  return held.move();
}
