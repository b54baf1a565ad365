/**
 * Opens the running kernel's BTF in this fresh process, resolves twenty types, and prints what it took. The imports
 * are not in the time.
 */
import { performance } from 'node:perf_hooks';
import { memoryUsage, stdout } from 'node:process';
import { vmlinuxBtf } from '../../../engine/kernel/index.js';

/** Types that tracing and network programs ask for. */
const WANTED = [
  'task_struct',
  'mm_struct',
  'file',
  'inode',
  'dentry',
  'path',
  'qstr',
  'cred',
  'nsproxy',
  'pid',
  'sock',
  'sock_common',
  'sk_buff',
  'net_device',
  'linux_binprm',
  'signal_struct',
  'super_block',
  'vm_area_struct',
  'cgroup',
  'bpf_prog',
];

const MIB = 2 ** 20;
const before = memoryUsage();
const start = performance.now();
const btf = vmlinuxBtf();
const opened = performance.now();
let members = 0;
for (const name of WANTED) {
  const [typeId] = btf.idsByName(name, 'struct');
  const type = typeId === undefined ? undefined : btf.type(typeId);
  if (type?.kind !== 'struct') throw new Error(`this kernel has no struct ${name}`);
  members += type.members.length;
}
const end = performance.now();
const after = memoryUsage();

stdout.write(
  `${JSON.stringify({
    milliseconds: end - start,
    openMilliseconds: opened - start,
    residentMiB: (after.rss - before.rss) / MIB,
    heapMiB: (after.heapUsed - before.heapUsed) / MIB,
    buffersMiB: (after.arrayBuffers - before.arrayBuffers) / MIB,
    btfMiB: btf.bytes.byteLength / MIB,
    members,
  })}\n`,
);
