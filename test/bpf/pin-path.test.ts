import { describe, expect, test } from 'vitest';
import { pinPathOf } from '../../engine/bpf/maps/pinned-map.js';
import { expectCode } from '../bytecode/documented-errors.js';

describe('pinPathOf', () => {
  test('is the directory and the name of the map', () => {
    expect(pinPathOf('/sys/fs/bpf', { name: 'counts' })).toBe('/sys/fs/bpf/counts');
  });

  test.each(['../../../etc/counts', 'a/b', '/etc/counts', '..', '.', ''])(
    'refuses %j, which leads elsewhere',
    (name) => {
      expectCode('MAP_DEFINITION_INVALID', () => pinPathOf('/sys/fs/bpf', { name }), /cannot be pinned/);
    },
  );
});
