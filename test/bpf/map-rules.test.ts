import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ringBytes } from '../../engine/bpf/maps/ring-bytes.js';
import { dataMapName } from '../../engine/bpf/object-name.js';

describe('the size of a ring buffer', () => {
  test.each([
    [0, 0],
    [1, 4096],
    [4096, 4096],
    [4097, 8192],
    [5000, 8192],
    [262_144, 262_144],
    [0xffff_ffff, 0xffff_ffff],
  ])('asked for %i bytes is %i', (asked, bytes) => {
    expect(ringBytes(asked, 4096)).toBe(bytes);
  });

  test('is never less than asked, and less than twice as much where that is a page or more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4096, max: 2 ** 31 }), (asked) => {
        const bytes = ringBytes(asked, 4096);
        expect(bytes >= asked && bytes < asked * 2).toBe(true);
      }),
    );
  });
});

describe('the name of a data map is that of libbpf', () => {
  test.each([
    ['my_object_name.bpf.o', '.rodata', 'my_objec.rodata'],
    ['my_object_name.bpf.o', '.bss', 'my_objec.bss'],
    ['my_object_name.bpf.o', '.kconfig', 'my_obje.kconfig'],
    ['a.bpf.o', '.data', 'a.data'],
    ['a.bpf.o', '.rodata.abracadabra', '.rodata.abracad'],
    ['/tmp/folder/od-d name.o', '.bss', 'od_d_nam.bss'],
  ])('%s, section %s: %s', (object, section, name) => {
    expect(dataMapName(object, section)).toBe(name);
  });
});
