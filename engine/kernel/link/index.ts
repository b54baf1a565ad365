export type { AttachOrder } from './attach-order.js';
export { type Attachment, BpfLink } from './bpf-link.js';
export { attachToCgroup } from './cgroup.js';
export { functionOffsets } from './executable-symbols.js';
export { attachIterator, type IteratorScope, readIterator } from './iterator.js';
export {
  attachKprobe,
  attachSystemCall,
  type KprobeTarget,
  type ProbeOptions,
  systemCallFunction,
} from './kprobe.js';
export type { LinkInfo, LinkTarget, LinkTypeName } from './link-info.js';
export {
  attachKprobeMulti,
  attachUprobeMulti,
  type MultiProbeOptions,
  type UprobeMultiOptions,
  type UprobeMultiTarget,
} from './multi-probe.js';
export { attachNetfilter, type NetfilterTarget } from './netfilter.js';
export { attachNetkit } from './netkit.js';
export { attachFlowDissector, attachSocketLookup } from './network-namespace.js';
export { attachPerfEvent, type PerfLinkOptions } from './perf-event.js';
export { attachReuseport, attachSocketFilter, attachToSockmap } from './socket.js';
export { registerStructOps, type StructOpsRegistration } from './struct-ops.js';
export { attachTc, TcFilter, type TcFilterOptions } from './tc-filter.js';
export { attachTcx, type TrafficDirection } from './tcx.js';
export { attachTracepoint } from './tracepoint.js';
export {
  attachRawTracepoint,
  attachReplacement,
  attachTracing,
  attachTracingWithCookie,
  type ProgramFunction,
  type TracingOptions,
} from './tracing.js';
export { attachUprobe, type UprobeOptions, type UprobeTarget } from './uprobe.js';
export { attachXdp, type XdpMode } from './xdp.js';
