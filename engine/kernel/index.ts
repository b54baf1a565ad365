export { type ProgramQuery, queryPrograms } from './commands/link-commands.js';
export { queryTaskFd, type TaskFdQuery } from './commands/system-commands.js';
export { FEATURE_PROBES, probeFeature } from './features/catalogue.js';
export type { Feature, FeatureProbe } from './features/feature.js';
export { type HelperAvailability, probeHelper } from './features/helpers.js';
export { type GateLevel, type KernelFeatures, probeKernel } from './features/kernel-features.js';
export * from './link/index.js';
export { BpfMap, MAP_FLAG, type MapCreate, UPDATE_FLAG } from './maps/map.js';
export type { MapEntry } from './maps/map-iteration.js';
export { descriptorBytes, lpmKey, networkKey, u32Key } from './maps/map-keys.js';
export { btfMapView, MapView, perCpuCodec } from './maps/map-view.js';
export { joinPerCpu, splitPerCpu } from './maps/per-cpu-value.js';
export {
  addAddress,
  bringUp,
  createDummy,
  createNetkitPair,
  createVethPair,
  deleteInterface,
} from './netlink/interfaces.js';
export { RouteSocket } from './netlink/route-socket.js';
export { openAll, openById } from './objects/object-id.js';
export type { MapInfo } from './objects/object-info.js';
export { unpin } from './objects/object-pin.js';
export { openToken } from './objects/token.js';
export { BpfProgram, enableRunTimeStatistics, PROGRAM_FLAG, type ProgramLoad } from './programs/program.js';
export type { ProgramInfo } from './programs/program-info.js';
export { programMetadata } from './programs/program-metadata.js';
export type { TestRun, TestRunResult } from './programs/test-run.js';
export {
  PerfBuffer,
  type PerfBufferOptions,
  type PerfRecord,
  type PerfRecordLease,
} from './records/perf-buffer.js';
export { PERF_SOFTWARE, PERF_TYPE, type PerfEventConfig, type PerfEventScope } from './records/perf-event.js';
export type { PerfWakeup } from './records/perf-ring.js';
export type { RecordStream } from './records/record-stream.js';
export {
  type RecordLease,
  RingBuffer,
  type RingBufferOptions,
  type RingState,
} from './records/ring-buffer.js';
export { type ReservedRecord, UserRingBuffer } from './records/user-ring-buffer.js';
export { Cgroup, cgroupRoot } from './system/cgroup.js';
export { tryLockFile } from './system/file-lock.js';
export { isInitialNamespace } from './system/initial-namespace.js';
export { bootTimeNs, type MemoryMapping, pageBytes } from './system/libc.js';
export { interfaceIndex, NetworkNamespace } from './system/network-namespace.js';
export { OwnedFd } from './system/owned-fd.js';
export { possibleCpuCount } from './system/possible-cpus.js';
export { openProcess } from './system/process-fd.js';
export { ResourceStack } from './system/resource-stack.js';
export {
  type BtfInfo,
  btfBytes,
  btfInfo,
  findVmlinuxBtfId,
  listBtf,
  loadBtf,
  readBtfById,
} from './types/btf-object.js';
export { kernelSymbolAddress } from './types/kernel-symbols.js';
export {
  KernelModule,
  type KernelType,
  type KernelTypeSource,
  KernelTypes,
  type ModuleSource,
} from './types/kernel-types.js';
export { attachTargetId, vmlinuxBtf } from './types/vmlinux-btf.js';
