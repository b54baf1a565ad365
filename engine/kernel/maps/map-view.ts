import { type Btf, type BtfValue, btfCodec, type Codec, encodeWith } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { possibleCpuCount } from '../system/possible-cpus.js';
import { type BpfMap, UPDATE_FLAG } from './map.js';
import { isPerCpu, perCpuStride } from './map-shape.js';

/** A map whose keys and values are JavaScript values. It does not own the map. */
export class MapView<Key, Value> {
  /**
   * @throws VespidError MAP_ELEMENT_SIZE when a codec is for another size than the map has. A per-CPU map takes a
   *   codec of all its values, {@link perCpuCodec}.
   */
  constructor(
    readonly map: BpfMap,
    private readonly key: Codec<Key>,
    private readonly value: Codec<Value>,
  ) {
    checkSize(map, 'keys', map.definition.keySize, key.byteSize);
    checkSize(map, 'values', map.valueBytes, value.byteSize);
  }

  get(key: Key): Value | undefined {
    const found = this.map.get(encodeWith(this.key, key));
    return found === undefined ? undefined : this.value.decode(found);
  }

  has(key: Key): boolean {
    return this.map.get(encodeWith(this.key, key)) !== undefined;
  }

  /** @param flags one of {@link UPDATE_FLAG} */
  set(key: Key, value: Value, flags: bigint = UPDATE_FLAG.any): void {
    this.map.update(encodeWith(this.key, key), encodeWith(this.value, value), flags);
  }

  /** Gives false when the map had no such key. */
  delete(key: Key): boolean {
    return this.map.delete(encodeWith(this.key, key));
  }

  lookupAndDelete(key: Key): Value | undefined {
    const found = this.map.lookupAndDelete(encodeWith(this.key, key));
    return found === undefined ? undefined : this.value.decode(found);
  }

  /** Every element once, as {@link BpfMap.entries}. */
  *entries(): Generator<readonly [Key, Value], void, undefined> {
    for (const [key, value] of this.map.entries()) yield [this.key.decode(key), this.value.decode(value)];
  }

  /** Takes every element out, each exactly once. */
  *drain(): Generator<readonly [Key, Value], void, undefined> {
    for (const [key, value] of this.map.drain()) yield [this.key.decode(key), this.value.decode(value)];
  }

  *keys(): Generator<Key, void, undefined> {
    for (const key of this.map.keys()) yield this.key.decode(key);
  }

  [Symbol.iterator](): Generator<readonly [Key, Value], void, undefined> {
    return this.entries();
  }

  /** With few system calls. */
  setMany(entries: Iterable<readonly [Key, Value]>, flags: bigint = UPDATE_FLAG.any): void {
    this.map.updateMany(this.#encoded(entries), flags);
  }

  *#encoded(entries: Iterable<readonly [Key, Value]>): Generator<readonly [Uint8Array, Uint8Array]> {
    for (const [key, value] of entries) yield [encodeWith(this.key, key), encodeWith(this.value, value)];
  }
}

function checkSize(map: BpfMap, what: string, expected: number, actual: number): void {
  if (expected === actual) return;
  throw new VespidError(
    'MAP_ELEMENT_SIZE',
    `${map.subject} has ${what} of ${expected} bytes, and the codec is for ${actual}`,
  );
}

/** The values of all possible CPUs, in their order. */
export function perCpuCodec<Value>(codec: Codec<Value>): Codec<readonly Value[]> {
  const stride = perCpuStride(codec.byteSize);
  const count = possibleCpuCount();
  const partOf = (bytes: Uint8Array, cpu: number) =>
    bytes.subarray(cpu * stride, cpu * stride + codec.byteSize);
  return {
    byteSize: stride * count,
    encode(values, target) {
      if (values.length !== count) {
        throw new VespidError('MAP_ELEMENT_SIZE', `expected ${count} values, got ${values.length}`, {
          hint: 'one for each possible CPU',
        });
      }
      target.fill(0);
      for (const [cpu, value] of values.entries()) codec.encode(value, partOf(target, cpu));
    },
    decode: (bytes) => Array.from({ length: count }, (_, cpu) => codec.decode(partOf(bytes, cpu))),
  };
}

/**
 * A view by the types that the map was declared with; of a per-CPU map, a value is an array of one for each
 * possible CPU.
 *
 * @param types ids in the BTF of the object, `ObjectMap.keyTypeId` and `valueTypeId`
 * @throws VespidError BTF_VALUE_UNSUPPORTED, MAP_ELEMENT_SIZE
 */
export function btfMapView(
  map: BpfMap,
  btf: Btf,
  types: { readonly keyTypeId: number; readonly valueTypeId: number },
): MapView<BtfValue, BtfValue> {
  const key = btfCodec(btf, types.keyTypeId, `key of ${map.subject}`);
  const value = btfCodec(btf, types.valueTypeId, `value of ${map.subject}`);
  // An array of BTF values is one itself; the cast says so of the codec, which checks what it encodes.
  const whole = isPerCpu(map.definition.type) ? (perCpuCodec(value) as Codec<BtfValue>) : value;
  return new MapView(map, key, whole);
}
