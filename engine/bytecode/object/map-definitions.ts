import { VespidError } from '../../errors/index.js';
import { byteSizeOf, skipModifiers, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfMember } from '../btf/btf-type.js';
import { SYMBOL_TYPE } from '../elf/elf-format.js';
import type { ElfFile } from '../elf/elf-reader.js';
import type { ObjectMap } from './object-map.js';

/** Where maps stand in .maps, which is how instructions name them. */
export interface MapPlaces {
  /** -1 for an object without maps. */
  readonly sectionIndex: number;
  /** Map name by byte offset in the section. */
  readonly byOffset: ReadonlyMap<number, string>;
}

/**
 * Reads the BTF-defined maps of an object: each is a variable in `.maps` of a struct whose members say the
 * attributes, numbers as `int (*name)[number]`, types as `type *name` (libbpf's convention).
 * @throws VespidError OBJECT_MALFORMED, OBJECT_UNSUPPORTED for an attribute that is not read yet
 */
export function readMaps(elf: ElfFile, btf: Btf | undefined): { maps: ObjectMap[]; places: MapPlaces } {
  const section = elf.sections.find((candidate) => candidate.name === '.maps');
  const byOffset = new Map<number, string>();
  const names = new Set<string>();
  const maps: ObjectMap[] = [];
  if (section === undefined) return { maps, places: { sectionIndex: -1, byOffset } };
  if (elf.relocations.has(section.index)) {
    throw new VespidError('OBJECT_UNSUPPORTED', `${elf.label}: maps with initial contents or inner maps`);
  }
  const dataSectionId = btf?.idsByName('.maps', 'data-section')[0];
  if (btf === undefined || dataSectionId === undefined) {
    throw malformed(elf.label, 'a section .maps but no BTF of it', 'build the object with clang -g');
  }
  const dataSection = btf.type(dataSectionId);
  for (const place of 'variables' in dataSection ? dataSection.variables : []) {
    const variable = btf.type(place.typeId);
    if (variable.kind !== 'variable')
      throw malformed(elf.label, `.maps+${place.byteOffset} is not a variable`);
    if (byOffset.has(place.byteOffset) || names.has(variable.name)) {
      throw malformed(elf.label, `map ${variable.name} is defined twice`);
    }
    byOffset.set(place.byteOffset, variable.name);
    names.add(variable.name);
    maps.push(readMap(btf, variable.name, variable.typeId, elf.label));
  }
  checkSymbols(elf, section.index, byOffset);
  return { maps, places: { sectionIndex: section.index, byOffset } };
}

/** A variable in .maps that BTF does not describe would be a map that nobody creates. */
function checkSymbols(elf: ElfFile, sectionIndex: number, byOffset: ReadonlyMap<number, string>): void {
  for (const symbol of elf.symbols) {
    if (symbol.sectionIndex !== sectionIndex || symbol.type !== SYMBOL_TYPE.object) continue;
    if (byOffset.get(symbol.value) === symbol.name) continue;
    throw malformed(elf.label, `.maps+${symbol.value}: ${symbol.name} is not a map in the BTF`);
  }
}

function readMap(btf: Btf, name: string, typeId: number, label: string): ObjectMap {
  const type = underlyingType(btf, typeId);
  if (type.kind !== 'struct') throw malformed(label, `map ${name} is of kind ${type.kind}, not a struct`);
  const map = {
    name,
    type: 0,
    keySize: 0,
    valueSize: 0,
    maxEntries: 0,
    flags: 0,
    keyTypeId: 0,
    valueTypeId: 0,
    mapExtra: 0n,
    numaNode: 0,
    pinning: 'none' as const,
    innerMap: undefined,
    initialContents: [],
  };
  const number = (member: BtfMember) => numberOf(btf, member, `${label}: map ${name}`);
  const setSize = (which: 'keySize' | 'valueSize', byteSize: number): void => {
    if (map[which] !== 0 && map[which] !== byteSize) {
      throw malformed(label, `map ${name}: ${which} both ${map[which]} and ${byteSize}`);
    }
    map[which] = byteSize;
  };
  for (const member of type.members) {
    switch (member.name) {
      case 'type':
        map.type = number(member);
        break;
      case 'max_entries':
        map.maxEntries = number(member);
        break;
      case 'map_flags':
        map.flags = number(member);
        break;
      case 'key_size':
        setSize('keySize', number(member));
        break;
      case 'value_size':
        setSize('valueSize', number(member));
        break;
      case 'key':
        map.keyTypeId = pointedAt(btf, member, `${label}: map ${name}`);
        setSize('keySize', byteSizeOf(btf, map.keyTypeId));
        break;
      case 'value':
        map.valueTypeId = pointedAt(btf, member, `${label}: map ${name}`);
        setSize('valueSize', byteSizeOf(btf, map.valueTypeId));
        break;
      default:
        throw new VespidError('OBJECT_UNSUPPORTED', `${label}: map ${name}: attribute ${member.name}`, {
          hint: 'supported are type, key, key_size, value, value_size, max_entries and map_flags',
        });
    }
  }
  if (map.type === 0) throw malformed(label, `map ${name} says no type`);
  return map;
}

/** `int (*member)[number]` */
function numberOf(btf: Btf, member: BtfMember, where: string): number {
  const array = underlyingType(btf, pointedAt(btf, member, where));
  if (array.kind === 'array') return array.count;
  throw malformed(where, `${member.name} is not of the form __uint(${member.name}, …)`);
}

function pointedAt(btf: Btf, member: BtfMember, where: string): number {
  const pointer = btf.type(skipModifiers(btf, member.typeId));
  if (pointer.kind === 'pointer') return pointer.typeId;
  throw malformed(where, `${member.name} is of kind ${pointer.kind}, not a pointer`);
}

function malformed(label: string, message: string, hint?: string): VespidError {
  return new VespidError('OBJECT_MALFORMED', `${label}: ${message}`, hint === undefined ? {} : { hint });
}
