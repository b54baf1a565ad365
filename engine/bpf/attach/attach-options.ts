import type {
  BpfMap,
  Cgroup,
  IteratorScope,
  NetfilterTarget,
  NetworkNamespace,
  PerfEventConfig,
  PerfEventScope,
} from '../../kernel/index.js';

/** Where programs go whose sections do not say it. Each kind of program reads the member that it needs. */
export interface AttachOptions {
  /** For cgroup programs. */
  readonly cgroup?: Cgroup | undefined;
  /** For XDP, tc, tcx and netkit: an interface of this thread's network namespace. */
  readonly interfaceIndex?: number | undefined;
  /** For tc without a direction in the section. */
  readonly direction?: 'ingress' | 'egress' | undefined;
  /** For sk_lookup and flow dissectors. */
  readonly networkNamespace?: NetworkNamespace | undefined;
  readonly netfilter?: NetfilterTarget | undefined;
  /** For programs on perf events. */
  readonly perfEvent?: { readonly event: PerfEventConfig; readonly scope: PerfEventScope } | undefined;
  /** For socket filters and reuseport. */
  readonly socketFd?: number | undefined;
  /** For sk_msg and sk_skb: a sockmap or sockhash. */
  readonly sockmap?: BpfMap | undefined;
  /** What an iterator visits; all there is by default. */
  readonly iterator?: IteratorScope | undefined;
  /** For uprobes: only this process. */
  readonly pid?: number | undefined;
  /** Instead of what follows the slash of the section: a function, a tracepoint, `path:function`. */
  readonly target?: string | undefined;
  /** What `bpf_get_attach_cookie` gives to the program. */
  readonly cookie?: bigint | undefined;
}
