export {
  type BtfInfo,
  btfBytes,
  btfInfo,
  findVmlinuxBtfId,
  listBtf,
  loadBtf,
  readBtfById,
} from './btf-object.js';
export { Cgroup, cgroupRoot } from './cgroup.js';
export { type ProgramQuery, queryPrograms } from './commands/link-commands.js';
export { queryTaskFd, type TaskFdQuery } from './commands/system-commands.js';
export { FEATURE_PROBES, probeFeature } from './features/catalogue.js';
export type { Feature, FeatureProbe } from './features/feature.js';
export { type HelperAvailability, probeHelper } from './features/helpers.js';
export { type GateLevel, type KernelFeatures, probeKernel } from './features/kernel-features.js';
export { isInitialNamespace } from './initial-namespace.js';
export { kernelSymbolAddress } from './kernel-symbols.js';
export {
  KernelModule,
  type KernelType,
  type KernelTypeSource,
  KernelTypes,
  type ModuleSource,
} from './kernel-types.js';
export { bootTimeNs, type MemoryMapping, pageBytes } from './libc.js';
export * from './link/index.js';
export { BpfMap, MAP_FLAG, type MapCreate, UPDATE_FLAG } from './map.js';
export type { MapEntry } from './map-iteration.js';
export { descriptorBytes, lpmKey, networkKey, u32Key } from './map-keys.js';
export { btfMapView, MapView, perCpuCodec } from './map-view.js';
export {
  addAddress,
  bringUp,
  createDummy,
  createNetkitPair,
  createVethPair,
  deleteInterface,
} from './netlink/interfaces.js';
export { RouteSocket } from './netlink/route-socket.js';
export { interfaceIndex, NetworkNamespace } from './network-namespace.js';
export { openAll, openById } from './object-id.js';
export type { MapInfo } from './object-info.js';
export { unpin } from './object-pin.js';
export { OwnedFd } from './owned-fd.js';
export { joinPerCpu, splitPerCpu } from './per-cpu-value.js';
export {
  PerfBuffer,
  type PerfBufferOptions,
  type PerfRecord,
  type PerfRecordLease,
} from './perf-buffer.js';
export { PERF_SOFTWARE, PERF_TYPE, type PerfEventConfig, type PerfEventScope } from './perf-event.js';
export type { PerfWakeup } from './perf-ring.js';
export { possibleCpuCount } from './possible-cpus.js';
export { openProcess } from './process-fd.js';
export { BpfProgram, enableRunTimeStatistics, PROGRAM_FLAG, type ProgramLoad } from './program.js';
export type { ProgramInfo } from './program-info.js';
export { programMetadata } from './program-metadata.js';
export type { RecordStream } from './record-stream.js';
export { ResourceStack } from './resource-stack.js';
export { type RecordLease, RingBuffer, type RingBufferOptions, type RingState } from './ring-buffer.js';
export type { TestRun, TestRunResult } from './test-run.js';
export { openToken } from './token.js';
export { type ReservedRecord, UserRingBuffer } from './user-ring-buffer.js';
export { attachTargetId, vmlinuxBtf } from './vmlinux-btf.js';
