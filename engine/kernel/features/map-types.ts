import { BtfBuilder, byteSizeOf, MAP_TYPE, type MapTypeName } from '../../bytecode/index.js';
import { BpfMap, MAP_FLAG, type MapCreate } from '../maps/map.js';
import type { OwnedFd } from '../system/owned-fd.js';
import { loadBtf } from '../types/btf-object.js';
import { attachTargetId, vmlinuxBtf } from '../types/vmlinux-btf.js';
import type { FeatureProbe } from './feature.js';

interface MapTypeRow {
  readonly since: string;
  readonly config?: readonly string[];
  /** What differs from a map with 4-byte key, 4-byte value, one element and no flags. */
  readonly shape?: Partial<MapCreate>;
  readonly attempt?: (type: number) => void;
}

const NO_KEY = { keySize: 0 };
const NET = ['CONFIG_NET'];
const RING = { keySize: 0, valueSize: 0, maxEntries: 4096 };

/** Every map type, by the kernel that brought it and the options behind it (include/linux/bpf_types.h). */
const MAP_TYPES: Readonly<Record<MapTypeName, MapTypeRow>> = {
  hash: { since: '3.19' },
  array: { since: '3.19' },
  progArray: { since: '4.2' },
  perfEventArray: { since: '4.3', config: ['CONFIG_PERF_EVENTS'] },
  percpuHash: { since: '4.6' },
  percpuArray: { since: '4.6' },
  stackTrace: { since: '4.6', config: ['CONFIG_PERF_EVENTS'], shape: { valueSize: 8 } },
  cgroupArray: { since: '4.8', config: ['CONFIG_CGROUPS'] },
  lruHash: { since: '4.10' },
  lruPercpuHash: { since: '4.10' },
  lpmTrie: { since: '4.11', shape: { keySize: 8, flags: MAP_FLAG.noPreallocation } },
  arrayOfMaps: { since: '4.12', attempt: createOuter },
  hashOfMaps: { since: '4.12', attempt: createOuter },
  devmap: { since: '4.14', config: NET },
  sockmap: { since: '4.14', config: [...NET, 'CONFIG_BPF_STREAM_PARSER'] },
  cpumap: { since: '4.15', config: NET },
  xskmap: { since: '4.18', config: ['CONFIG_XDP_SOCKETS'] },
  sockhash: { since: '4.18', config: [...NET, 'CONFIG_BPF_STREAM_PARSER'] },
  cgroupStorage: { since: '4.19', config: ['CONFIG_CGROUP_BPF'], shape: { keySize: 16, maxEntries: 0 } },
  reuseportSockarray: { since: '4.19', config: ['CONFIG_INET'] },
  percpuCgroupStorage: {
    since: '4.20',
    config: ['CONFIG_CGROUP_BPF'],
    shape: { keySize: 16, maxEntries: 0 },
  },
  queue: { since: '4.20', shape: NO_KEY },
  stack: { since: '4.20', shape: NO_KEY },
  skStorage: { since: '5.2', config: NET, attempt: createStorage },
  devmapHash: { since: '5.4', config: NET },
  structOps: {
    since: '5.6',
    config: ['CONFIG_BPF_JIT', 'CONFIG_DEBUG_INFO_BTF', 'CONFIG_INET'],
    attempt: createStructOps,
  },
  ringbuf: { since: '5.8', shape: RING },
  inodeStorage: { since: '5.10', config: ['CONFIG_BPF_LSM'], attempt: createStorage },
  taskStorage: { since: '5.11', attempt: createStorage },
  bloomFilter: { since: '5.16', shape: NO_KEY },
  userRingbuf: { since: '6.1', shape: RING },
  cgrpStorage: { since: '6.2', config: ['CONFIG_CGROUPS'], attempt: createStorage },
  arena: {
    since: '6.9',
    config: ['CONFIG_MMU', 'CONFIG_64BIT'],
    shape: { keySize: 0, valueSize: 0, flags: MAP_FLAG.mappable },
  },
};

/** A map of a probe: see {@link MapTypeRow.shape}. */
export function createProbeMap(overrides: Partial<MapCreate>): BpfMap {
  return BpfMap.create({
    name: 'vespid_probe',
    type: MAP_TYPE.hash,
    keySize: 4,
    valueSize: 4,
    maxEntries: 1,
    flags: 0,
    ...overrides,
  });
}

function tryCreate(overrides: Partial<MapCreate>): void {
  using _map = createProbeMap(overrides);
}

function createOuter(type: number): void {
  using innerMap = createProbeMap({});
  tryCreate({ type, innerMap });
}

/** Maps of storage must say their types. */
function createStorage(type: number): void {
  const { btf, typeId } = loadIntBtf();
  using owned = btf;
  tryCreate({
    type,
    maxEntries: 0,
    flags: MAP_FLAG.noPreallocation,
    btf: { fd: owned.fd, keyTypeId: typeId, valueTypeId: typeId },
  });
}

/** The kernel wants BTF of ours beside the id in its own, though it looks at nothing in it. */
function createStructOps(type: number): void {
  const structOpsTypeId = attachTargetId({ kind: 'struct', name: 'bpf_struct_ops_tcp_congestion_ops' });
  const valueSize = byteSizeOf(vmlinuxBtf(), structOpsTypeId);
  using btf = loadIntBtf().btf;
  tryCreate({ type, valueSize, structOpsTypeId, btf: { fd: btf.fd, keyTypeId: 0, valueTypeId: 0 } });
}

function loadIntBtf(): { btf: OwnedFd; typeId: number } {
  const builder = new BtfBuilder();
  const typeId = builder.add({
    kind: 'int',
    name: 'int',
    byteSize: 4,
    encoding: 1,
    bitOffset: 0,
    bitSize: 32,
  });
  return { btf: loadBtf(builder.build()), typeId };
}

export const MAP_TYPE_PROBES: readonly FeatureProbe[] = Object.entries(MAP_TYPES).map(
  ([typeName, { since, config = [], shape, attempt }]) => {
    // The cast undoes Object.entries' widening: the record has exactly these keys.
    const type = MAP_TYPE[typeName as MapTypeName];
    return {
      name: `map/${typeName}`,
      since,
      config,
      attempt: () => (attempt === undefined ? tryCreate({ type, ...shape }) : attempt(type)),
    };
  },
);
