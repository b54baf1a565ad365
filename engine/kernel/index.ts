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
export { type Feature, type GateLevel, type KernelFeatures, probeKernel } from './features.js';
export { isInitialNamespace } from './initial-namespace.js';
export { kernelSymbolAddress } from './kernel-symbols.js';
export {
  KernelModule,
  type KernelType,
  type KernelTypeSource,
  KernelTypes,
  type ModuleSource,
} from './kernel-types.js';
export { bootTimeNs, type MemoryMapping } from './libc.js';
export { BpfLink } from './link.js';
export { BpfMap, MAP_FLAG, type MapCreate, UPDATE_FLAG } from './map.js';
export type { MapEntry } from './map-iteration.js';
export { descriptorBytes, lpmKey, networkKey, u32Key } from './map-keys.js';
export { openAll, openById } from './object-id.js';
export type { MapInfo } from './object-info.js';
export { isPinned, unpin } from './object-pin.js';
export { OwnedFd } from './owned-fd.js';
export { joinPerCpu, splitPerCpu } from './per-cpu-value.js';
export { possibleCpuCount } from './possible-cpus.js';
export { openProcess } from './process-fd.js';
export { BpfProgram, enableRunTimeStatistics, PROGRAM_FLAG, type ProgramLoad } from './program.js';
export type { ProgramInfo } from './program-info.js';
export { ResourceStack } from './resource-stack.js';
export { RingBuffer } from './ring-buffer.js';
export { attachTargetId, vmlinuxBtf } from './vmlinux-btf.js';
