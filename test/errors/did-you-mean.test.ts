import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closestName, suggestName } from '../../engine/errors/index.js';

const functions = ['bpf_task_acquire', 'bpf_task_release', 'do_nanosleep', 'vfs_read', 'vfs_write'];

test.each([
  ['bpf_task_aquire', 'bpf_task_acquire'],
  ['bpf_taks_release', 'bpf_task_release'],
  ['VFS_READ', 'vfs_read'],
  ['vfs_raed', 'vfs_read'],
  ['tcp_sendmsg', undefined],
  ['a'.repeat(65), undefined],
])('%s', (name, closest) => {
  expect(closestName(name, functions)).toBe(closest);
});

test('letters in another order are other names', () => {
  expect(closestName('peels_onan_od', functions)).toBeUndefined();
});

test('a name with one letter too many, too few or other is found again among all others', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...functions),
      fc.nat(),
      fc.constantFrom('', 'x', 'é', '_0'),
      fc.boolean(),
      (name, seed, inserted, removes) => {
        const at = seed % name.length;
        const damaged = name.slice(0, at) + inserted + name.slice(removes ? at + 1 : at);
        expect(closestName(damaged, functions)).toBe(name);
      },
    ),
  );
});

test('a hint names all, and the near one first', () => {
  expect(suggestName('vfs_raed', ['vfs_read', 'vfs_write'])).toBe(
    'did you mean vfs_read? (known: vfs_read, vfs_write)',
  );
  expect(suggestName('tcp', ['vfs_read'])).toBe('known: vfs_read');
});
