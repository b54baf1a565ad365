import { describe, expect, test } from 'vitest';
import { MAP_TYPE } from '../../engine/bytecode/index.js';
import { mapKeys } from '../../engine/kernel/maps/map-iteration.js';
import { u32Key } from '../../engine/kernel/maps/map-keys.js';
import { thrownBy } from '../policies/policy-text.js';

/** A map whose next keys come from a script: from that key, or from none, to the one behind it. */
function scripted(nextOf: (key: number | undefined) => number | undefined) {
  const definition = { name: 's', type: MAP_TYPE.lpmTrie, keySize: 4, valueSize: 4, maxEntries: 4, flags: 0 };
  return {
    definition,
    subject: 'map s',
    nextKey: (key: Uint8Array | undefined) => {
      const next = nextOf(key === undefined ? undefined : new DataView(key.buffer).getUint32(0, true));
      return next === undefined ? undefined : u32Key(next);
    },
  };
}

const numbers = (keys: Iterable<Uint8Array>) =>
  [...keys].map((key) => new DataView(key.buffer).getUint32(0, true));

describe('mapKeys', () => {
  test('gives what the kernel gives, up to the end', () => {
    const map = scripted((key = 0) => (key < 3 ? key + 1 : undefined));
    expect(numbers(mapKeys(map))).toEqual([1, 2, 3]);
  });

  test('a walk that is thrown back to the first key gives none twice', () => {
    let thrownBack = false;
    const map = scripted((key) => {
      if (key === undefined) return 1;
      if (key === 2 && !thrownBack) {
        thrownBack = true;
        return 1;
      }
      return key < 4 ? key + 1 : undefined;
    });
    expect(numbers(mapKeys(map))).toEqual([1, 2, 3, 4]);
  });

  test('a walk that never ends is ended', () => {
    expect(thrownBy(() => numbers(mapKeys(scripted((key) => (key ?? 0) + 1)))).code).toBe('MAP_WALK_ABORTED');
    expect(thrownBy(() => numbers(mapKeys(scripted(() => 1)))).code).toBe('MAP_WALK_ABORTED');
  });
});
