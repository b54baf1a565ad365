import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { attachStructOps, loadObject } from '../../../engine/bpf/index.js';
import { guestObject } from './guest-object.js';
import { guestKernel, guestTest } from './guest-test.js';

/** An Ethernet frame for BPF_PROG_TEST_RUN of tc programs: 14 bytes at least. */
const PACKET = new Uint8Array(64);

guestTest('an object with everything that a loader sets up', {}, () => {
  using object = loadObject(guestObject('collection'), {
    variables: { mode: 'MODE_ON', flag: true, 'settings.ports[2]': 8080 },
  });
  try {
    const run = (name: string) => object.program(name).program.testRun({ data: PACKET }).returnValue;
    assert.equal(run('look_around'), 0);
    const seen = (name: string) => object.variable(name).get();
    assert.equal(seen('seen_mode'), 7);
    assert.equal(seen('seen_flag'), true);
    assert.equal(seen('has_syscall'), true);
    assert.equal(seen('hz'), 250n);
    assert.equal(seen('text'), 'hello');
    assert.equal(seen('counter'), 43n);
    assert.equal(seen('missing_symbol'), 0n);
    assert.equal(seen('missing_config'), 0n);
    assert.equal(seen('weak_calls'), 0);
    const address = /^([0-9a-f]+) T vfs_read$/m.exec(readFileSync('/proc/kallsyms', 'latin1'))?.[1];
    assert.equal(seen('read_address'), BigInt(`0x${address}`));
    const [major, minor] = guestKernel().name.split('.').map(Number);
    assert.equal(Number(seen('kernel_version')) >> 8, (major ?? 0) * 256 + (minor ?? 0));
    assert.equal(run('jump'), 11);
    assert.equal(run('pinned'), 0);
    assert.ok(existsSync('/sys/fs/bpf/vespid_pinned'));
  } finally {
    rmSync('/sys/fs/bpf/vespid_pinned', { force: true });
  }
});

guestTest('freplace takes the place of a function of a loaded program', {}, () => {
  using object = loadObject(guestObject('collection'), {
    programs: ({ name }) => name === 'call_replaceable',
  });
  const { program } = object.program('call_replaceable');
  const run = () => program.testRun({ data: PACKET }).returnValue;
  assert.equal(run(), 2);
  using replacement = loadObject(guestObject('replacement'), { targets: { replacement: { program } } });
  {
    using _links = replacement.attachAll();
    assert.equal(run(), 101);
  }
  assert.equal(run(), 2);
  using tracer = loadObject(guestObject('replacement'), {
    programs: ({ name }) => name === 'on_entry',
    targets: { on_entry: { program } },
  });
  using _traced = tracer.attachAll();
  run();
  assert.equal(tracer.variable('entered').get(), 1n);
});

guestTest('a struct_ops congestion control registers, serves a connection, and goes', {}, async () => {
  const available = () => readFileSync('/proc/sys/net/ipv4/tcp_available_congestion_control', 'utf8');
  using object = loadObject(guestObject('congestion'));
  const [steady] = object.structOps;
  assert.ok(steady);
  assert.equal(steady.isLink, guestKernel().name !== '6.1');
  assert.doesNotMatch(available(), /vespid_steady/);
  {
    using _registration = attachStructOps(steady);
    assert.match(available(), /vespid_steady/);
    await exchange();
  }
  assert.doesNotMatch(available(), /vespid_steady/);
});

/** A TCP connection over loopback that carries some data. */
async function exchange(): Promise<void> {
  const server = createServer((socket) => socket.end('x'.repeat(100_000))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  assert.ok(bound !== null && typeof bound === 'object');
  const client = connect(bound.port, '127.0.0.1').resume();
  await once(client, 'close');
  server.close();
}

guestTest('arena variables are shared with user space at the address of the object', { only: '6.12' }, () => {
  using object = loadObject(guestObject('arena-counter'), { variables: { shared: 7n } });
  assert.equal(object.program('add').program.testRun({}).returnValue, 9);
  assert.equal(object.variable('shared').get(), 9n);
  object.variable('shared').set(20n);
  assert.equal(object.program('add').program.testRun({}).returnValue, 22);
});
