import type { ProgramTypeName } from '../object/program-type.js';
import type { SectionMeaning } from '../object/section-name.js';

/** What a program of a type can do by being what it is, beyond what it calls. */
export interface ProgramPower {
  /**
   * Results by which it leaves things as they are; `ignored` where nobody acts on the result, `always` where no
   * result is neutral.
   */
  readonly neutralResults: readonly bigint[] | 'ignored' | 'always';
  /**
   * What the kernel lets it write to: its context (an address, registers, options), or also memory that the context
   * points at (a packet).
   */
  readonly writable: 'nothing' | 'context' | 'context-and-beyond';
}

const WATCHES: ProgramPower = { neutralResults: 'ignored', writable: 'nothing' };
const DECIDES: ProgramPower = { neutralResults: 'always', writable: 'context-and-beyond' };
const neutral = (...results: bigint[]): ProgramPower => ({
  neutralResults: results,
  writable: 'context-and-beyond',
});

/** SK_PASS, NF_ACCEPT, and "allow" of every cgroup program (include/uapi/linux/bpf.h, netfilter.h). */
const PASS = 1n;
/** TC_ACT_OK and TC_ACT_UNSPEC (include/uapi/linux/pkt_cls.h), which are TCX_PASS and TCX_NEXT. */
const TC_RESULTS = [0n, -1n];
const XDP_PASS = 2n;
const BPF_OK = 0n;
/** A socket filter says how many bytes to keep. */
const WHOLE_PACKET = -1n;

const POWERS: Readonly<Record<ProgramTypeName, ProgramPower>> = {
  unspec: DECIDES,
  'socket-filter': { ...neutral(WHOLE_PACKET), writable: 'nothing' },
  // Registers of a user space function can be written from Linux 6.18 on; the result only filters perf's records.
  kprobe: { ...WATCHES, writable: 'context' },
  'sched-cls': neutral(...TC_RESULTS),
  'sched-act': neutral(...TC_RESULTS),
  tracepoint: WATCHES,
  xdp: neutral(XDP_PASS),
  'perf-event': WATCHES,
  'cgroup-skb': neutral(PASS),
  'cgroup-sock': { ...neutral(PASS), writable: 'context' },
  'lwt-in': neutral(BPF_OK),
  'lwt-out': neutral(BPF_OK),
  'lwt-xmit': neutral(BPF_OK),
  // Answers through its context.
  'sock-ops': { neutralResults: 'ignored', writable: 'context' },
  'sk-skb': neutral(PASS),
  'cgroup-device': { ...neutral(PASS), writable: 'nothing' },
  'sk-msg': neutral(PASS),
  'raw-tracepoint': WATCHES,
  'cgroup-sock-addr': { ...neutral(PASS), writable: 'context' },
  'lwt-seg6local': neutral(BPF_OK),
  'lirc-mode2': WATCHES,
  'sk-reuseport': neutral(PASS),
  'flow-dissector': DECIDES,
  'cgroup-sysctl': { ...neutral(PASS), writable: 'context' },
  'raw-tracepoint-writable': { neutralResults: 'ignored', writable: 'context-and-beyond' },
  'cgroup-sockopt': neutral(PASS),
  tracing: WATCHES,
  'struct-ops': DECIDES,
  ext: DECIDES,
  lsm: { neutralResults: [0n], writable: 'nothing' },
  'sk-lookup': neutral(PASS),
  syscall: WATCHES,
  netfilter: { ...neutral(PASS), writable: 'nothing' },
};

/** Where the attach type decides, and not the program type alone. */
export function programPower({ programTypeName, attachTypeName }: SectionMeaning): ProgramPower {
  // As which of the three is said when it is attached.
  if (programTypeName === 'sk-skb' && attachTypeName === null) return DECIDES;
  switch (attachTypeName) {
    case 'modify-return':
      return { neutralResults: [0n], writable: 'nothing' };
    case 'lsm-cgroup':
      return { neutralResults: [PASS], writable: 'nothing' };
    // Says how many bytes make a message.
    case 'sk-skb-stream-parser':
      return DECIDES;
    default:
      return POWERS[programTypeName];
  }
}
