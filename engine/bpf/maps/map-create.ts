import { MAP_TYPE, type ObjectMap } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { BpfMap, type MapCreate, type OwnedFd, pageBytes, possibleCpuCount } from '../../kernel/index.js';
import { ringBytes } from './ring-bytes.js';

/** Those for which the kernel takes no BTF of key and value (map_check_btf of their operations is absent). */
const TYPES_WITHOUT_BTF: ReadonlySet<number> = new Set([
  MAP_TYPE.perfEventArray,
  MAP_TYPE.cgroupArray,
  MAP_TYPE.stackTrace,
  MAP_TYPE.arrayOfMaps,
  MAP_TYPE.hashOfMaps,
  MAP_TYPE.devmap,
  MAP_TYPE.devmapHash,
  MAP_TYPE.cpumap,
  MAP_TYPE.xskmap,
  MAP_TYPE.sockmap,
  MAP_TYPE.sockhash,
  MAP_TYPE.queue,
  MAP_TYPE.stack,
  MAP_TYPE.arena,
]);

/**
 * The definition as this machine needs it: a ring buffer of whole pages, a perf event array of one element for
 * each CPU where the object names no number.
 */
export function fittedMap(map: ObjectMap): ObjectMap {
  switch (map.type) {
    case MAP_TYPE.ringbuf:
    case MAP_TYPE.userRingbuf:
      return { ...map, maxEntries: ringBytes(map.maxEntries, pageBytes()) };
    case MAP_TYPE.perfEventArray:
      return map.maxEntries === 0 ? { ...map, maxEntries: possibleCpuCount() } : map;
    default:
      return map;
  }
}

/**
 * Creates a map as an object declares it, with its template of inner maps.
 *
 * @param btf the object's types in the kernel, if they were loaded
 * @throws VespidError KERNEL_PERMISSION, KERNEL_CALL_FAILED naming the map
 */
export function createObjectMap(declared: ObjectMap, btf: OwnedFd | undefined): BpfMap {
  const map = fittedMap(declared);
  // The kernel copies what it needs of the template, so it lives no longer than this call.
  using innerMap = map.innerMap === undefined ? undefined : createObjectMap(map.innerMap, btf);
  const hasTypes = (map.keyTypeId !== 0 || map.valueTypeId !== 0) && !TYPES_WITHOUT_BTF.has(map.type);
  const create: MapCreate = {
    name: map.name,
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: map.flags,
    mapExtra: map.mapExtra,
    numaNode: map.numaNode,
    ...(innerMap === undefined ? {} : { innerMap }),
  };
  if (btf === undefined || !hasTypes) return BpfMap.create(create);
  return createWithTypes(create, { fd: btf.fd, keyTypeId: map.keyTypeId, valueTypeId: map.valueTypeId });
}

/** An older kernel may take no types for a map that works without them (libbpf tries the same). */
export function createWithTypes(create: MapCreate, btf: NonNullable<MapCreate['btf']>): BpfMap {
  try {
    return BpfMap.create({ ...create, btf });
  } catch (error) {
    if (!(error instanceof VespidError)) throw error;
    try {
      return BpfMap.create(create);
    } catch {
      // The first error is about what the object asks for.
      throw error;
    }
  }
}
