import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Btf, BtfBuilder, type BtfValue, btfCodec, encodeWith } from '../../../engine/bytecode/index.js';
import { thrownBy } from '../../policies/policy-text.js';

/** Types by name, as clang describes them; struct `event` has one member of each kind. */
function sampleTypes() {
  const builder = new BtfBuilder();
  const int = (name: string, byteSize: number, encoding: number) =>
    builder.add({ kind: 'int', name, byteSize, encoding, bitOffset: 0, bitSize: byteSize * 8 });
  const u8 = int('unsigned char', 1, 0);
  const s16 = int('short', 2, 1);
  const u32 = int('unsigned int', 4, 0);
  const s32 = int('int', 4, 1);
  const u64 = int('unsigned long long', 8, 0);
  const s64 = int('long long', 8, 1);
  const char = int('char', 1, 1);
  const bool = int('_Bool', 1, 4);
  const array = (elementTypeId: number, count: number) =>
    builder.add({ kind: 'array', elementTypeId, indexTypeId: u32, count });
  const double = builder.add({ kind: 'float', name: 'double', byteSize: 8 });
  const pointer = builder.add({ kind: 'pointer', typeId: 0 });
  const typedef = builder.add({ kind: 'typedef', name: 'pid_t', typeId: s32 });
  const color = builder.add({
    kind: 'enum',
    name: 'color',
    byteSize: 4,
    isSigned: true,
    values: [
      { name: 'RED', value: -1n },
      { name: 'BLUE', value: 7n },
    ],
  });
  const member = (name: string, typeId: number, byteOffset: number) => ({
    name,
    typeId,
    bitOffset: byteOffset * 8,
    bitFieldSize: 0,
  });
  const inner = builder.add({
    kind: 'struct',
    name: 'inner',
    byteSize: 16,
    members: [member('tag', u8, 0), member('weight', double, 8)],
  });
  const anonymous = builder.add({
    kind: 'union',
    name: '',
    byteSize: 4,
    members: [member('address', u32, 0), member('octets', array(u8, 4), 0)],
  });
  const flags = builder.add({
    kind: 'struct',
    name: 'flags',
    byteSize: 4,
    members: [
      { name: 'low', typeId: u32, bitOffset: 0, bitFieldSize: 3 },
      { name: 'wide', typeId: s32, bitOffset: 3, bitFieldSize: 17 },
      { name: 'high', typeId: u32, bitOffset: 31, bitFieldSize: 1 },
    ],
  });
  const event = builder.add({
    kind: 'struct',
    name: 'event',
    byteSize: 128,
    members: [
      member('pid', typedef, 0),
      member('small', s16, 4),
      member('ok', bool, 6),
      member('total', u64, 8),
      member('delta', s64, 16),
      member('comm', array(char, 16), 24),
      member('color', color, 40),
      member('', anonymous, 44),
      member('next', pointer, 48),
      member('flags', flags, 56),
      member('inner', array(inner, 2), 64),
      member('last', u8, 96),
    ],
  });
  const prototype = builder.add({ kind: 'function-prototype', returnTypeId: 0, parameters: [] });
  const outside = builder.add({
    kind: 'struct',
    name: 'outside',
    byteSize: 4,
    members: [member('far', u64, 0)],
  });
  return { btf: new Btf(builder.build(), 'sample'), event, flags, color, prototype, bool, outside };
}

const types = sampleTypes();
const codec = btfCodec(types.btf, types.event, 'event');
const u = (bits: number) => fc.integer({ min: 0, max: 2 ** bits - 1 });
const s = (bits: number) => fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
const event = u(32).chain((address) =>
  fc.record({
    pid: s(32),
    small: s(16),
    ok: fc.boolean(),
    total: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    delta: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    comm: fc.stringMatching(/^[ -~]{0,16}$/),
    color: s(32),
    address: fc.constant(address),
    octets: fc.constant([0, 8, 16, 24].map((shift) => (address >>> shift) & 0xff)),
    next: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    flags: fc.record({ low: u(3), wide: s(17), high: u(1) }),
    inner: fc.array(fc.record({ tag: u(8), weight: fc.double({ noNaN: true, noDefaultInfinity: true }) }), {
      minLength: 2,
      maxLength: 2,
    }),
    last: u(8),
  }),
);

describe('btfCodec', () => {
  test('what is written is what is read', () => {
    fc.assert(
      fc.property(event, (value) => {
        // Objects without the prototype that fast-check gives some of its own.
        expect(codec.decode(encodeWith(codec, value as BtfValue))).toEqual(plain(value));
      }),
    );
  });

  test('members stand where BTF says, what is not given is zero', () => {
    const bytes = encodeWith(codec, { pid: -2, comm: 'sh', color: 'BLUE', octets: [1, 2, 3, 4], last: 9 });
    const expected = new Uint8Array(128);
    expected.set([0xfe, 0xff, 0xff, 0xff], 0);
    expected.set([0x73, 0x68], 24);
    expected.set([7], 40);
    expected.set([1, 2, 3, 4], 44);
    expected.set([9], 96);
    expect(bytes).toEqual(expected);
  });

  test('bit fields share their bytes', () => {
    const flags = btfCodec(types.btf, types.flags);
    expect([...encodeWith(flags, { low: 5, wide: -1, high: 1 })]).toEqual([0xfd, 0xff, 0x0f, 0x80]);
  });

  test('a text that fills its array needs no NUL', () => {
    const value = codec.decode(encodeWith(codec, { comm: 'sixteen_letters_' }));
    expect(value).toMatchObject({ comm: 'sixteen_letters_' });
  });

  test.each<{ name: string; value: BtfValue; where: string }>([
    { name: 'a number that does not fit', value: { small: 40_000 }, where: 'event.small' },
    { name: 'a fraction', value: { pid: 1.5 }, where: 'event.pid' },
    { name: 'a text that is too long', value: { comm: 'seventeen_letters' }, where: 'event.comm' },
    { name: 'a constant that is none', value: { color: 'GREEN' }, where: 'event.color' },
    { name: 'a member that is none', value: { colour: 1 }, where: 'event' },
    { name: 'an array that is too short', value: { octets: [1, 2, 3] }, where: 'event.octets' },
    { name: 'a number for a boolean', value: { ok: 1 }, where: 'event.ok' },
    { name: 'an object for a number', value: { pid: {} }, where: 'event.pid' },
    { name: 'a number for a struct', value: 7, where: 'event' },
    { name: 'a text for a float', value: { inner: [{ weight: 'x' }, {}] }, where: 'event.inner[].weight' },
    { name: 'a bit field that overflows', value: { flags: { low: 8 } }, where: 'event.flags.low' },
  ])('$name is refused, by name', ({ value, where }) => {
    const error = thrownBy(() => encodeWith(codec, value));
    expect(error.code).toBe('BTF_VALUE_MISMATCH');
    expect(error.message.startsWith(`${where}: `)).toBe(true);
  });

  test('types without values are refused', () => {
    expect(thrownBy(() => btfCodec(types.btf, types.prototype)).code).toBe('BTF_VALUE_UNSUPPORTED');
    expect(thrownBy(() => btfCodec(types.btf, 0)).code).toBe('BTF_VALUE_UNSUPPORTED');
    expect(thrownBy(() => btfCodec(types.btf, types.outside)).code).toBe('BTF_VALUE_UNSUPPORTED');
  });
});

function plain(value: object): object {
  return structuredClone(value);
}
