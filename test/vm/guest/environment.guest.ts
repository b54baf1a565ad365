import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { release } from 'node:os';
import koffi from 'koffi';
import { CAPABILITIES, type Capability } from '../kernels.js';
import { guestKernel, guestTest } from './guest-test.js';

/** Facts of the running kernel that stand for a capability, read without any code of ours that uses it. */
const EVIDENCE: Readonly<Record<Capability, () => boolean>> = {
  'bpf-lsm': () => lsmList().includes('bpf'),
  'program-load-hook': () => btfNames('bpf_lsm_bpf_prog_load'),
  'path-kfunc': () => btfNames('bpf_path_d_path'),
  'newer-links': () => ['bpf_nf_link_attach', 'netkit_link_attach', 'register_fprobe'].every(btfNames),
  'bpf-token': () => btfNames('bpf_token_create'),
};

function lsmList(): string[] {
  return readFileSync('/sys/kernel/security/lsm', 'utf8').trim().split(',');
}

/** Whether the kernel's BTF string table has the name. */
function btfNames(name: string): boolean {
  return readFileSync('/sys/kernel/btf/vmlinux').includes(`\0${name}\0`);
}

function mountsOfType(type: string): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter((fields) => fields[2] === type)
    .map((fields) => fields[1] ?? '');
}

guestTest('the kernel is the one that was asked for', {}, () => {
  assert.ok(release().startsWith(`${guestKernel().name}.`), release());
});

for (const capability of Object.keys(CAPABILITIES) as Capability[]) {
  const stated = guestKernel().capabilities.includes(capability);
  guestTest(`${capability}: ${stated ? 'present' : 'absent'}, as stated`, {}, () => {
    assert.equal(EVIDENCE[capability](), stated);
  });
}

guestTest('the kernel describes its types in BTF', {}, () => {
  const btf = readFileSync('/sys/kernel/btf/vmlinux');
  assert.equal(btf.readUInt16LE(0), 0xeb9f);
});

for (const [type, path] of [
  ['bpf', '/sys/fs/bpf'],
  ['cgroup2', '/sys/fs/cgroup'],
  ['tracefs', '/sys/kernel/tracing'],
  ['tmpfs', '/dev/shm'],
] as const) {
  guestTest(`${type} is mounted on ${path}`, {}, () => {
    assert.ok(mountsOfType(type).includes(path));
  });
}

for (const address of ['127.0.0.1', '::1']) {
  guestTest(`a TCP connection to ${address} carries data`, {}, async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, address);
    await once(server, 'listening');
    const bound = server.address();
    assert.ok(bound !== null && typeof bound === 'object');
    const client = connect(bound.port, address).setEncoding('utf8');
    const [text] = await once(client, 'data');
    assert.equal(text, 'hello');
    client.destroy();
    server.close();
  });
}

guestTest('koffi loads, and getpid() through it is this process', {}, () => {
  const getpid = koffi.load('libc.so.6').func('int getpid()');
  assert.equal(getpid(), process.pid);
});

guestTest('this is root, with a supported node', {}, () => {
  assert.equal(process.getuid?.(), 0);
  const [major = 0] = process.versions.node.split('.').map(Number);
  assert.ok(major >= 20, process.version);
});

guestTest('files can be made in a temporary folder', {}, () => {
  writeFileSync('/tmp/environment', 'x');
  assert.equal(readFileSync('/tmp/environment', 'utf8'), 'x');
});
