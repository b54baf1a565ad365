import type { ProgramTypeName } from '../object/program-type.js';
import type { SectionMeaning } from '../object/section-name.js';
import { isNeutralAtZero } from './neutral-hooks.js';

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
/**
 * TC_ACT_UNSPEC (include/uapi/linux/pkt_cls.h), which is TCX_NEXT and NETKIT_NEXT. Not TC_ACT_OK: it ends the chain,
 * so that programs behind it are not asked, and lets packets through a netkit device that drops them by default.
 */
const TC_NEXT = -1n;
const XDP_PASS = 2n;
const BPF_OK = 0n;
/** Of LSM and fmod_ret programs: the next one is asked, or what they stand before. */
const GO_ON = 0n;
/** A socket filter says how many bytes to keep. */
const WHOLE_PACKET = -1n;

const POWERS: Readonly<Record<ProgramTypeName, ProgramPower>> = {
  unspec: DECIDES,
  'socket-filter': { ...neutral(WHOLE_PACKET), writable: 'nothing' },
  // Registers of a user space function can be written from Linux 6.18 on; the result only filters perf's records.
  kprobe: { ...WATCHES, writable: 'context' },
  'sched-cls': neutral(TC_NEXT),
  'sched-act': neutral(TC_NEXT),
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
  // Before Linux 6.5 one that leaves optlen alone makes options of more than a page fail (EFAULT).
  'cgroup-sockopt': DECIDES,
  tracing: WATCHES,
  'struct-ops': DECIDES,
  ext: DECIDES,
  lsm: { neutralResults: [GO_ON], writable: 'nothing' },
  'sk-lookup': neutral(PASS),
  syscall: WATCHES,
  netfilter: { ...neutral(PASS), writable: 'nothing' },
};

/** Where the attach type or target decides, and not the program type alone. */
export function programPower(meaning: SectionMeaning): ProgramPower {
  const { programTypeName, attachTypeName, attachTarget } = meaning;
  // Also for a cgroup, whose "allow" becomes the 0 of the hook (__cgroup_bpf_run_lsm_current).
  if (programTypeName === 'lsm' && !isNeutralAtZero(attachTarget)) return DECIDES;
  // As which of the three is said when it is attached.
  if (programTypeName === 'sk-skb' && attachTypeName === null) return DECIDES;
  switch (attachTypeName) {
    case 'modify-return':
      return { neutralResults: [GO_ON], writable: 'nothing' };
    case 'lsm-cgroup':
      return { neutralResults: [PASS], writable: 'nothing' };
    // Says how many bytes make a message.
    case 'sk-skb-stream-parser':
      return DECIDES;
    default:
      return POWERS[programTypeName];
  }
}
