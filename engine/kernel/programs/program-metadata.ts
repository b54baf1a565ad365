import { type BtfValue, btfCodec, MAP_TYPE } from '../../bytecode/index.js';
import { BpfMap } from '../maps/map.js';
import { u32Key } from '../maps/map-keys.js';
import { readBtfById } from '../types/btf-object.js';
import type { BpfProgram } from './program.js';

const PREFIX = 'bpf_metadata_';

/**
 * What a program says about itself, by bpftool's convention: globals `bpf_metadata_NAME` in a section `.rodata`,
 * whose map is bound to the program. The names come without the prefix.
 *
 * @throws VespidError KERNEL_PERMISSION, KERNEL_OBJECT_GONE, BTF_MALFORMED
 */
export function programMetadata(program: BpfProgram): Readonly<Record<string, BtfValue>> {
  const metadata: Record<string, BtfValue> = {};
  for (const id of program.info().mapIds) {
    using map = BpfMap.openById(id);
    Object.assign(metadata, metadataIn(map));
  }
  return metadata;
}

function metadataIn(map: BpfMap): Record<string, BtfValue> {
  const { type, name, btfId, valueTypeId } = map.info();
  const isReadOnlyData =
    type === MAP_TYPE.array && map.definition.maxEntries === 1 && name.endsWith('.rodata');
  if (!isReadOnlyData || btfId === 0) return {};
  const btf = readBtfById(btfId);
  const section = btf.type(valueTypeId);
  const bytes = map.get(u32Key(0));
  if (section.kind !== 'data-section' || bytes === undefined) return {};
  const entries = section.variables
    .filter(({ typeId }) => btf.nameOf(typeId).startsWith(PREFIX))
    .map(({ typeId, byteOffset, byteSize }) => {
      const name = btf.nameOf(typeId);
      const value = btfCodec(btf, typeId, name).decode(bytes.subarray(byteOffset, byteOffset + byteSize));
      return [name.slice(PREFIX.length), value] as const;
    });
  return Object.fromEntries(entries);
}
