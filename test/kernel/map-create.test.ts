import { describe, expect, test } from 'vitest';
import { MAP_TYPE } from '../../engine/bytecode/index.js';
import { BpfMap } from '../../engine/kernel/index.js';
import { expectCode } from '../bytecode/documented-errors.js';

const SIZES = { keySize: 4, valueSize: 8, maxEntries: 1 };

describe('BpfMap.create', () => {
  // Each would reach the kernel as another number, and every buffer be made by the wrong one.
  test.each([
    { what: 'valueSize', value: 2 ** 32 + 8 },
    { what: 'valueSize', value: 8.5 },
    { what: 'keySize', value: -1 },
    { what: 'maxEntries', value: Number.NaN },
  ])('refuses a $what of $value', ({ what, value }) => {
    const create = { name: 'odd', type: MAP_TYPE.array, flags: 0, ...SIZES, [what]: value };
    expectCode('MAP_DEFINITION_INVALID', () => BpfMap.create(create), new RegExp(`map odd: ${what}`));
  });

  test('keys and values are bytes, whatever else has their length', () => {
    using map = new BpfMap(-1, { name: 'odd', type: MAP_TYPE.array, flags: 0, ...SIZES });
    // What a caller without types may give.
    const given = [undefined, null, 'four', { byteLength: 4 }, [0, 0, 0, 0]] as unknown as Uint8Array[];
    for (const key of given) expectCode('MAP_ELEMENT_SIZE', () => map.get(key), /a key of 4 bytes/);
    expect(map.isOpen).toBe(true);
  });
});
