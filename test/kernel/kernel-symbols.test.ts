import { describe, expect, test } from 'vitest';
import { symbolAddress } from '../../engine/kernel/types/kernel-symbols.js';
import { thrownBy } from '../policies/policy-text.js';

const TEXT = Buffer.from(
  [
    '0000000000000000 A fixed_percpu_data',
    'ffffffff81000000 T _text',
    'ffffffff81001000 t vfs_read_part',
    'ffffffff81002000 T vfs_read',
    'ffffffffc0000000 t in_module\t[sample]',
    '',
  ].join('\n'),
);

describe('symbolAddress', () => {
  test.each([
    { name: 'vfs_read', address: 0xffffffff81002000n },
    { name: 'in_module', address: 0xffffffffc0000000n },
    { name: 'fixed_percpu_data', address: 0n },
    { name: 'vfs', address: undefined },
  ])('$name', ({ name, address }) => {
    expect(symbolAddress(TEXT, name)).toBe(address);
  });

  test('addresses that are hidden are an error that says so', () => {
    const hidden = Buffer.from('0000000000000000 T _text\n0000000000000000 T vfs_read\n');
    expect(thrownBy(() => symbolAddress(hidden, 'vfs_read'))).toMatchObject({
      code: 'KERNEL_SYMBOLS_HIDDEN',
      exitCode: 4,
    });
  });
});
