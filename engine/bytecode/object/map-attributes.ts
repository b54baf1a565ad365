import { VespidError } from '../../errors/index.js';
import { byteSizeOf, skipModifiers, underlyingType } from '../btf/btf-layout.js';
import type { Btf } from '../btf/btf-reader.js';
import type { BtfComposite, BtfMember } from '../btf/btf-type.js';
import { MAP_TYPE } from '../isa.js';
import type { ObjectMap } from './object-map.js';

/** What LIBBPF_PIN_NONE and LIBBPF_PIN_BY_NAME of bpf_helpers.h stand for. */
const PINNINGS = ['none', 'by-name'] as const;

/** Size of what user space puts into a map of maps or programs: a file descriptor. */
const DESCRIPTOR_BYTES = 4;

/** There are eleven; many maps may share one struct, which is read for each of them. */
const MAX_ATTRIBUTES = 32;

/** Whether an object may say what a map of this type holds from the start. */
export function isMapWithContents(type: number): boolean {
  return isMapOfMaps(type) || type === MAP_TYPE.progArray;
}

function isMapOfMaps(type: number): boolean {
  return type === MAP_TYPE.arrayOfMaps || type === MAP_TYPE.hashOfMaps;
}

/** An {@link ObjectMap} while its members are read. */
type MapDraft = { -readonly [K in keyof ObjectMap]: ObjectMap[K] };

/**
 * The attributes that the members of a map's struct say: numbers as `int (*name)[number]` or as an enum of
 * one value, types as `type *name`, contents as `type *values[]`.
 * @throws VespidError OBJECT_MALFORMED, OBJECT_UNSUPPORTED for an attribute of no meaning to libbpf
 */
export function readMapAttributes(btf: Btf, type: BtfComposite, name: string, where: string): ObjectMap {
  return new AttributeReader(btf, where, false).read(type, name);
}

class AttributeReader {
  readonly #btf: Btf;
  readonly #where: string;
  readonly #isInner: boolean;

  constructor(btf: Btf, where: string, isInner: boolean) {
    this.#btf = btf;
    this.#where = where;
    this.#isInner = isInner;
  }

  read(type: BtfComposite, name: string): ObjectMap {
    const map: MapDraft = {
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
      pinning: 'none',
      innerMap: undefined,
      initialContents: [],
    };
    if (type.members.length > MAX_ATTRIBUTES) {
      throw this.#malformed(`${type.members.length} attributes, limit ${MAX_ATTRIBUTES}`);
    }
    for (const [index, member] of type.members.entries()) {
      if (member.name === 'values' && index !== type.members.length - 1) {
        throw this.#malformed('values is not the last member');
      }
      this.#readMember(map, member);
    }
    if (map.type === 0) throw this.#malformed('no type is given');
    return map;
  }

  #readMember(map: MapDraft, member: BtfMember): void {
    switch (member.name) {
      case 'type':
        map.type = this.#number(member);
        return;
      case 'max_entries':
        map.maxEntries = this.#number(member);
        return;
      case 'map_flags':
        map.flags = this.#number(member);
        return;
      case 'numa_node':
        map.numaNode = this.#number(member);
        return;
      case 'map_extra':
        map.mapExtra = this.#wideNumber(member);
        return;
      case 'key_size':
        this.#setSize(map, 'keySize', this.#number(member));
        return;
      case 'value_size':
        this.#setSize(map, 'valueSize', this.#number(member));
        return;
      case 'key':
        map.keyTypeId = this.#pointedAt(member);
        this.#setSize(map, 'keySize', byteSizeOf(this.#btf, map.keyTypeId));
        return;
      case 'value':
        map.valueTypeId = this.#pointedAt(member);
        this.#setSize(map, 'valueSize', byteSizeOf(this.#btf, map.valueTypeId));
        return;
      case 'pinning':
        map.pinning = this.#pinning(member);
        return;
      case 'values':
        this.#setSize(map, 'valueSize', DESCRIPTOR_BYTES);
        map.innerMap = this.#innerMap(map, member);
        return;
      default:
        throw this.#unsupported(
          `attribute ${member.name}`,
          'attributes are type, key, key_size, value, value_size, max_entries, map_flags, numa_node, pinning, ' +
            'map_extra and values',
        );
    }
  }

  #setSize(map: MapDraft, which: 'keySize' | 'valueSize', byteSize: number): void {
    if (map[which] !== 0 && map[which] !== byteSize) {
      throw this.#malformed(`${which} both ${map[which]} and ${byteSize}`);
    }
    map[which] = byteSize;
  }

  #pinning(member: BtfMember): ObjectMap['pinning'] {
    if (this.#isInner) throw this.#malformed('a map inside of another cannot be pinned');
    const number = this.#number(member);
    const pinning = PINNINGS[number];
    if (pinning === undefined) throw this.#malformed(`pinning ${number}: 0 (none) or 1 (by name) expected`);
    return pinning;
  }

  /** `__array(values, …)`: an array of no elements of pointers to a map's struct or to a function. */
  #innerMap(map: MapDraft, member: BtfMember): ObjectMap | undefined {
    if (this.#isInner) {
      throw this.#unsupported('maps of maps of maps', 'the kernel has one level of maps in maps');
    }
    if (!isMapWithContents(map.type)) {
      throw this.#unsupported(
        `values in a map of type ${map.type}`,
        'say the type first: a map of maps or programs',
      );
    }
    const array = this.#btf.type(member.typeId);
    if (array.kind !== 'array' || array.count !== 0)
      throw this.#malformed('values is not an array of no elements');
    const pointer = underlyingType(this.#btf, array.elementTypeId);
    const element = pointer.kind === 'pointer' ? underlyingType(this.#btf, pointer.typeId) : pointer;
    if (isMapOfMaps(map.type) && element.kind === 'struct') {
      return new AttributeReader(this.#btf, `${this.#where}.inner`, true).read(element, `${map.name}.inner`);
    }
    if (!isMapOfMaps(map.type) && element.kind === 'function-prototype') return undefined;
    throw this.#malformed(`values is of pointers to ${element.kind}`);
  }

  /** `int (*member)[number]` */
  #number(member: BtfMember): number {
    const array = underlyingType(this.#btf, this.#pointedAt(member));
    if (array.kind === 'array') return array.count;
    throw this.#malformed(`${member.name} is not of the form __uint(${member.name}, …)`);
  }

  /** `__uint`, or the enum of one value that `__ulong` makes. */
  #wideNumber(member: BtfMember): bigint {
    const type = underlyingType(this.#btf, member.typeId);
    if (type.kind !== 'enum' && type.kind !== 'enum64') return BigInt(this.#number(member));
    const [value, second] = type.values;
    if (value !== undefined && second === undefined) return BigInt.asUintN(64, value.value);
    throw this.#malformed(`${member.name} is not of the form __ulong(${member.name}, …)`);
  }

  #pointedAt(member: BtfMember): number {
    const pointer = this.#btf.type(skipModifiers(this.#btf, member.typeId));
    if (pointer.kind === 'pointer') return pointer.typeId;
    throw this.#malformed(`${member.name} is of kind ${pointer.kind}, not a pointer`);
  }

  #malformed(message: string): VespidError {
    return new VespidError('OBJECT_MALFORMED', `${this.#where}: ${message}`);
  }

  #unsupported(message: string, hint: string): VespidError {
    return new VespidError('OBJECT_UNSUPPORTED', `${this.#where}: ${message}`, { hint });
  }
}
