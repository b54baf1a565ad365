import { type DataSection, MAP_TYPE, type ObjectFile } from '../../bytecode/index.js';
import { BpfMap, MAP_FLAG, type MapCreate, type OwnedFd, u32Key } from '../../kernel/index.js';
import { createWithTypes } from '../maps/map-create.js';
import { dataMapName } from '../object-name.js';

/** A data section is an array of one element, which is the whole section. */
export function dataMapDefinition(object: ObjectFile, section: DataSection): MapCreate {
  const flags =
    (section.isWritable ? 0 : MAP_FLAG.readOnlyForPrograms) | (section.isMappable ? MAP_FLAG.mappable : 0);
  return {
    name: dataMapName(object.name, section.name),
    type: MAP_TYPE.array,
    keySize: 4,
    valueSize: section.bytes.byteLength,
    maxEntries: 1,
    flags,
  };
}

/**
 * Creates the map and fills it. What programs may not write is frozen, so that the verifier takes it for constant.
 *
 * @throws VespidError KERNEL_*
 */
export function createDataMap(create: MapCreate, section: DataSection, btf: OwnedFd | undefined): BpfMap {
  const map =
    btf === undefined || section.typeId === 0
      ? BpfMap.create(create)
      : createWithTypes(create, { fd: btf.fd, keyTypeId: 0, valueTypeId: section.typeId });
  try {
    map.update(u32Key(0), section.bytes);
    if (!section.isWritable) map.freeze();
    return map;
  } catch (error) {
    map.close();
    throw error;
  }
}
