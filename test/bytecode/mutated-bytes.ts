import fc from 'fast-check';

/** Values that sizes, counts and offsets go wrong with. */
const INTERESTING_WORDS = [0, 1, 8, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** Copies of `original` with one to four places changed: a byte, a bit, or a whole aligned word. */
export function mutatedBytes(original: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(original.byteLength - 1);
  const change = fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), at: place, value: fc.nat(255) }),
    fc.record({ kind: fc.constant('bit' as const), at: place, value: fc.nat(7) }),
    fc.record({
      kind: fc.constant('word' as const),
      at: place,
      value: fc.constantFrom(...INTERESTING_WORDS),
    }),
  );
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => {
    const bytes = original.slice();
    const view = new DataView(bytes.buffer);
    for (const { kind, at, value } of changes) {
      if (kind === 'byte') bytes[at] = value;
      else if (kind === 'bit') bytes[at] = (bytes[at] ?? 0) ^ (1 << value);
      else view.setUint32(Math.min(at & ~3, bytes.byteLength - 4), value, true);
    }
    return bytes;
  });
}
