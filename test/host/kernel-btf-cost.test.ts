import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { execPath } from 'node:process';
import { describe, expect, test } from 'vitest';

const MIB = 2 ** 20;
const ENGINE = new URL('../../dist/engine/bytecode/index.js', import.meta.url);
const VMLINUX = '/sys/kernel/btf/vmlinux';

const missing = existsSync(VMLINUX) ? undefined : 'this kernel does not describe its types';

/** Runs a module in a process of its own, which prints one line of JSON. */
function runFresh<T>(source: string): T {
  const result = spawnSync(execPath, ['--input-type=module', '--eval', source], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(result.stderr);
  // The sources below print what the callers say.
  return JSON.parse(result.stdout) as T;
}

/** Notes every file that is opened, for what comes after it. */
const NOTE_FILES = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  const files = [];
  for (const name of ['openSync', 'readFileSync']) {
    const call = fs[name];
    fs[name] = (path, ...rest) => { files.push(String(path)); return call(path, ...rest); };
  }
  syncBuiltinESMExports();
`;

describe.skipIf(missing)(`the kernel's BTF${missing === undefined ? '' : ` (${missing})`}`, () => {
  test('takes at most 25 MB to be opened and to resolve twenty types', () => {
    const { buffers, heap, members } = runFresh<{ buffers: number; heap: number; members: number }>(`
      import { readFileSync } from 'node:fs';
      import { Btf } from ${JSON.stringify(ENGINE)};
      const names = ['task_struct', 'mm_struct', 'file', 'inode', 'dentry', 'path', 'qstr', 'cred', 'nsproxy', 'pid',
        'sock', 'sock_common', 'sk_buff', 'net_device', 'linux_binprm', 'signal_struct', 'super_block',
        'vm_area_struct', 'cgroup', 'bpf_prog'];
      const before = process.memoryUsage();
      const btf = new Btf(readFileSync('${VMLINUX}'), 'vmlinux');
      let members = 0;
      for (const name of names) members += btf.type(btf.idsByName(name, 'struct')[0]).members.length;
      const after = process.memoryUsage();
      console.log(JSON.stringify({
        members,
        buffers: after.arrayBuffers - before.arrayBuffers,
        heap: after.heapUsed - before.heapUsed,
      }));
    `);
    expect(members).toBeGreaterThan(500);
    // The file itself is among the buffers, and so is what the index threw away: nothing of it is collected yet.
    expect(buffers).toBeGreaterThan(2 * MIB);
    expect((buffers + Math.max(heap, 0)) / MIB).toBeLessThan(25);
  });

  const relocate = (kind: string) => `${NOTE_FILES}
    const { Btf, BtfBuilder, CoreResolver } = await import(${JSON.stringify(ENGINE)});
    const { KernelTypes } = await import(${JSON.stringify(new URL('../kernel/index.js', ENGINE))});
    const builder = new BtfBuilder();
    builder.add({ kind: 'struct', name: 'task_struct', byteSize: 4, members: [] });
    const types = new KernelTypes();
    const resolver = new CoreResolver(new Btf(builder.build(), 'object'), () => types.coreTarget);
    resolver.resolve({ kind: '${kind}', typeId: 1, access: '0' });
    console.log(JSON.stringify(files.includes('${VMLINUX}')));
  `;

  test.each([
    ['is not read by a process that needs no type of the kernel', 'type-id-local', false],
    ['is read by one that does', 'type-size', true],
  ])('%s', (_name, kind, isRead) => {
    expect(runFresh<boolean>(relocate(kind))).toBe(isRead);
  });
});
