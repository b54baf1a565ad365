import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ATTACH_TYPE } from '../../../engine/bytecode/index.js';
import {
  addAddress,
  attachIterator,
  attachKprobe,
  attachKprobeMulti,
  attachNetfilter,
  attachNetkit,
  attachRawTracepoint,
  attachSocketLookup,
  attachSystemCall,
  attachTc,
  attachTcx,
  attachToCgroup,
  attachTracepoint,
  attachTracing,
  attachTracingWithCookie,
  attachUprobe,
  attachUprobeMulti,
  attachXdp,
  BpfLink,
  bringUp,
  Cgroup,
  createNetkitPair,
  interfaceIndex,
  kernelSymbolAddress,
  type LinkTarget,
  ResourceStack,
  RouteSocket,
  readIterator,
} from '../../../engine/kernel/index.js';
import { COUNTER, cookieOf } from '../../links/counters.js';
import { checkLoadBalancer, checkTrafficFilter } from '../../links/load-balancer.js';
import { LoadedFixture } from '../../links/loaded-fixture.js';
import { connectTo, networkOfOurOwn } from '../../links/own-network.js';
import { PacketSocket, udpFrame } from '../../links/packet-socket.js';
import { guestObjectPath } from '../guest-objects.js';
import { GUEST_ROOT } from '../protocol.js';
import { guestTest } from './guest-test.js';

const object = readFileSync(`${GUEST_ROOT}/${guestObjectPath('links')}`);

/** Loads programs; those that see other processes count this one. */
function load(...programs: string[]): LoadedFixture {
  const fixture = new LoadedFixture(object, programs);
  if (fixture.hasMap('wanted')) fixture.setU64('wanted', 0, BigInt(process.pid));
  return fixture;
}

/** Attached it counts; pinned it still counts without its owner; unpinned it soon counts no more. */
async function assertFires(
  fixture: LoadedFixture,
  counter: number,
  link: BpfLink,
  cause: () => void,
): Promise<void> {
  const counts = () => {
    const before = fixture.u64('hits', counter);
    cause();
    return fixture.u64('hits', counter) > before;
  };
  const pin = '/sys/fs/bpf/vespid-test-link';
  assert.ok(counts(), 'attached');
  link.pin(pin);
  const { id, target } = link.info();
  link.close();
  try {
    assert.ok(counts(), 'pinned');
    using again = BpfLink.openPinned(pin);
    assert.deepEqual({ id: again.info().id, target: again.info().target }, { id, target });
  } finally {
    unlinkSync(pin);
  }
  // The kernel takes an unpinned link apart in a work queue (bpf_link_put of kernel/bpf/syscall.c).
  for (const giveUpAt = Date.now() + 10_000; counts(); await sleep(20)) {
    assert.ok(Date.now() < giveUpAt, 'detached');
  }
}

const openFile = () => closeSync(openSync('/dev/null', 'r'));
const unlinkFile = () => {
  writeFileSync('/tmp/vespid-unlink', '');
  unlinkSync('/tmp/vespid-unlink');
};

interface TracingCase {
  readonly name: string;
  readonly program: string;
  readonly counter: number;
  readonly attach: (fixture: LoadedFixture) => BpfLink;
  readonly cause: () => void;
  readonly target: Partial<LinkTarget>;
  readonly cookie?: bigint;
}

const COOKIE = 0x1122_3344_5566_7788n;

const TRACING: readonly TracingCase[] = [
  {
    name: 'raw tracepoint',
    program: 'on_raw_tracepoint',
    counter: COUNTER.rawTracepoint,
    attach: (fixture) => attachRawTracepoint(fixture.program('on_raw_tracepoint'), 'sys_enter'),
    cause: openFile,
    target: { type: 'raw-tracepoint', name: 'sys_enter' },
  },
  {
    name: 'fentry',
    program: 'on_fentry',
    counter: COUNTER.fentry,
    attach: (fixture) => attachTracing(fixture.program('on_fentry')),
    cause: unlinkFile,
    target: { type: 'tracing', attachType: ATTACH_TYPE['trace-fentry'] },
  },
  {
    name: 'fexit, with a cookie',
    program: 'on_fexit',
    counter: COUNTER.fexit,
    attach: (fixture) =>
      attachTracingWithCookie(fixture.program('on_fexit'), ATTACH_TYPE['trace-fexit'], COOKIE),
    cause: unlinkFile,
    target: { type: 'tracing', attachType: ATTACH_TYPE['trace-fexit'] },
    cookie: COOKIE,
  },
  {
    name: 'LSM',
    program: 'on_lsm',
    counter: COUNTER.lsm,
    attach: (fixture) => attachTracing(fixture.program('on_lsm')),
    cause: openFile,
    target: { type: 'tracing', attachType: ATTACH_TYPE['lsm-mac'] },
  },
  {
    name: 'fmod_ret',
    program: 'on_fmod_ret',
    counter: COUNTER.fmodRet,
    attach: (fixture) => attachTracing(fixture.program('on_fmod_ret')),
    cause: openFile,
    target: { type: 'tracing', attachType: ATTACH_TYPE['modify-return'] },
  },
  {
    name: 'tracepoint, with a cookie',
    program: 'on_tracepoint',
    counter: COUNTER.tracepoint,
    attach: (fixture) =>
      attachTracepoint(fixture.program('on_tracepoint'), 'syscalls', 'sys_enter_getuid', { cookie: COOKIE }),
    cause: () => void process.getuid?.(),
    target: { type: 'perf-event' },
    cookie: COOKIE,
  },
  {
    name: 'kprobe by function, with a cookie',
    program: 'on_kprobe',
    counter: COUNTER.kprobe,
    attach: (fixture) =>
      attachKprobe(fixture.program('on_kprobe'), { function: 'do_unlinkat' }, { cookie: COOKIE }),
    cause: unlinkFile,
    target: { type: 'perf-event' },
    cookie: COOKIE,
  },
  {
    name: 'kprobe by address',
    program: 'on_kprobe',
    counter: COUNTER.kprobe,
    attach: (fixture) => {
      const address = kernelSymbolAddress('do_unlinkat');
      assert.ok(address !== undefined);
      return attachKprobe(fixture.program('on_kprobe'), { address });
    },
    cause: unlinkFile,
    target: { type: 'perf-event' },
  },
  {
    name: 'kretprobe',
    program: 'on_kretprobe',
    counter: COUNTER.kretprobe,
    attach: (fixture) =>
      attachKprobe(fixture.program('on_kretprobe'), { function: 'do_unlinkat' }, { isReturn: true }),
    cause: unlinkFile,
    target: { type: 'perf-event' },
  },
  {
    name: 'system call by name',
    program: 'on_kprobe',
    counter: COUNTER.kprobe,
    attach: (fixture) => attachSystemCall(fixture.program('on_kprobe'), 'unlink'),
    cause: unlinkFile,
    target: { type: 'perf-event' },
  },
  {
    name: 'uprobe',
    program: 'on_uprobe',
    counter: COUNTER.uprobe,
    attach: (fixture) =>
      attachUprobe(
        fixture.program('on_uprobe'),
        { path: libcPath(), function: 'getuid' },
        { cookie: COOKIE },
      ),
    cause: () => void process.getuid?.(),
    target: { type: 'perf-event' },
    cookie: COOKIE,
  },
];

function libcPath(): string {
  const line = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find((each) => each.includes('libc.so.6'));
  return line?.slice(line.indexOf('/')) ?? '';
}

guestTest('tracing links fire, are pinned and end', { needs: ['bpf-lsm'] }, async (context) => {
  for (const { name, program, counter, attach, cause, target, cookie } of TRACING) {
    await context.test(name, async () => {
      using fixture = load(program);
      using link = attach(fixture);
      const info = link.info();
      assert.equal(info.programId, fixture.program(program).info().id);
      for (const [key, value] of Object.entries(target)) {
        assert.deepEqual(Object.entries(info.target).find(([each]) => each === key)?.[1], value, key);
      }
      await assertFires(fixture, counter, link, cause);
      if (cookie !== undefined && counter !== COUNTER.fexit) {
        assert.equal(fixture.u64('hits', cookieOf(counter)), cookie);
      }
    });
  }
});

guestTest('an iterator link is read, and by its pin too', {}, () => {
  using fixture = load('on_iterate_maps');
  using link = attachIterator(fixture.program('on_iterate_maps'));
  readIterator(link);
  const once = fixture.u64('hits', COUNTER.iterator);
  assert.ok(once > 1n);
  const pin = '/sys/fs/bpf/vespid-test-iterator';
  link.pin(pin);
  readFileSync(pin);
  unlinkSync(pin);
  assert.ok(fixture.u64('hits', COUNTER.iterator) > once);
});

guestTest(
  'cgroup links fire for processes inside, are updated, pinned and end',
  { needs: ['bpf-lsm'] },
  async () => {
    const path = '/sys/fs/cgroup/vespid-test-links';
    mkdirSync(path);
    try {
      using cgroup = Cgroup.open(path);
      using fixture = load('on_cgroup_connect');
      writeFileSync(`${path}/cgroup.procs`, String(process.pid));
      await assertFires(
        fixture,
        COUNTER.cgroupConnect,
        attachToCgroup(fixture.program('on_cgroup_connect'), cgroup, ATTACH_TYPE['cgroup-inet4-connect']),
        () => connectTo('127.0.0.1'),
      );
      using refuses = load('on_cgroup_refuse');
      const attachType = ATTACH_TYPE['cgroup-inet4-connect'];
      using link = attachToCgroup(refuses.program('on_cgroup_refuse'), cgroup, attachType);
      assert.match(connectTo('127.0.0.1'), /permitted/);
      link.update(fixture.program('on_cgroup_connect'));
      assert.match(connectTo('127.0.0.1'), /refused/);
      using hooked = load('on_lsm_cgroup');
      const created = () => hooked.u64('hits', COUNTER.lsmCgroup);
      using _lsm = attachToCgroup(hooked.program('on_lsm_cgroup'), cgroup, ATTACH_TYPE['lsm-cgroup']);
      const before = created();
      connectTo('127.0.0.1');
      assert.ok(created() > before, 'lsm_cgroup');
    } finally {
      writeFileSync('/sys/fs/cgroup/cgroup.procs', String(process.pid));
      rmdirSync(path);
    }
  },
);

guestTest('XDP and socket lookup fire on a loopback, are pinned and end', {}, async (context) => {
  using resources = new ResourceStack();
  const { namespace, loopback } = networkOfOurOwn(resources);
  const socket = resources.use(namespace.run(() => PacketSocket.open(loopback)));
  const send = () => socket.send(udpFrame(18));
  await context.test('XDP', async () => {
    using fixture = load('on_xdp_pass', 'on_xdp_drop');
    using first = namespace.run(() => attachXdp(fixture.program('on_xdp_pass'), loopback, 'generic'));
    first.update(fixture.program('on_xdp_drop'), fixture.program('on_xdp_pass'));
    await assertFires(fixture, COUNTER.xdpOther, first, send);
  });
  await context.test('socket lookup', async () => {
    using fixture = load('on_sk_lookup');
    const link = attachSocketLookup(fixture.program('on_sk_lookup'), namespace);
    await assertFires(fixture, COUNTER.skLookup, link, () => namespace.run(() => connectTo('127.0.0.1')));
  });
});

guestTest(
  'links that Debian 6.1 lacks fire, are pinned and end',
  { needs: ['newer-links'] },
  async (context) => {
    using resources = new ResourceStack();
    const { namespace, loopback } = networkOfOurOwn(resources);
    const socket = resources.use(namespace.run(() => PacketSocket.open(loopback)));
    const send = () => socket.send(udpFrame(18));
    await context.test('tcx', async () => {
      using fixture = load('on_tcx_pass');
      const link = namespace.run(() => attachTcx(fixture.program('on_tcx_pass'), loopback, 'ingress'));
      await assertFires(fixture, COUNTER.tc, link, send);
    });
    await context.test('tc, as this kernel has it', async () => {
      using fixture = load('on_tc_pass', 'on_tc_other');
      using attachment = namespace.run(() => attachTc(fixture.program('on_tc_pass'), loopback, 'ingress'));
      send();
      assert.equal(fixture.u64('hits', COUNTER.tc), 1n);
      attachment.update(fixture.program('on_tc_other'));
      send();
      assert.deepEqual([fixture.u64('hits', COUNTER.tc), fixture.u64('hits', COUNTER.tcOther)], [1n, 1n]);
      attachment[Symbol.dispose]();
      send();
      assert.equal(fixture.u64('hits', COUNTER.tcOther), 1n);
    });
    await context.test('kprobe.multi', async () => {
      using fixture = load('on_kprobe_multi');
      const link = attachKprobeMulti(
        fixture.program('on_kprobe_multi'),
        { functions: ['do_unlinkat', 'do_rmdir'] },
        { cookies: [1n, 2n] },
      );
      assert.deepEqual(link.info().target, { type: 'kprobe-multi', count: 2, isReturnProbe: false });
      await assertFires(fixture, COUNTER.kprobeMulti, link, unlinkFile);
    });
    await context.test('netfilter', async () => {
      using fixture = load('on_netfilter');
      const target = { family: 'ipv4', hook: 'local-out', priority: -10 } as const;
      const link = namespace.run(() => attachNetfilter(fixture.program('on_netfilter'), target));
      assert.deepEqual(link.info().target, {
        type: 'netfilter',
        protocolFamily: 2,
        hook: 3,
        priority: -10,
        flags: 0,
      });
      await assertFires(fixture, COUNTER.netfilter, link, () => namespace.run(() => connectTo('127.0.0.1')));
    });
    await context.test('netkit', async () => {
      using fixture = load('on_netkit');
      const primary = namespace.run(() => {
        using route = RouteSocket.open();
        createNetkitPair(route, 'primary', 'peer');
        for (const name of ['primary', 'peer']) bringUp(route, interfaceIndex(name));
        addAddress(route, interfaceIndex('primary'), [10, 9, 0, 1], 24);
        return interfaceIndex('primary');
      });
      const link = namespace.run(() => attachNetkit(fixture.program('on_netkit'), primary, 'primary'));
      assert.deepEqual(link.info().target, {
        type: 'netkit',
        interfaceIndex: primary,
        attachType: ATTACH_TYPE['netkit-primary'],
      });
      await assertFires(fixture, COUNTER.netkit, link, () => namespace.run(() => connectTo('10.9.0.2')));
    });
    await context.test('uprobe.multi', async () => {
      using fixture = load('on_uprobe_multi');
      const link = attachUprobeMulti(
        fixture.program('on_uprobe_multi'),
        { path: libcPath(), functions: ['getuid', 'geteuid'] },
        { pid: process.pid },
      );
      await assertFires(fixture, COUNTER.uprobeMulti, link, () => void process.getuid?.());
    });
    await context.test('what a kprobe is on', async () => {
      using fixture = load('on_kprobe');
      using link = attachKprobe(fixture.program('on_kprobe'), { function: 'do_unlinkat' });
      assert.deepEqual(link.info().target, {
        type: 'perf-event',
        kind: 'kprobe',
        name: 'do_unlinkat',
        offset: 0,
      });
    });
  },
);

guestTest('the load balancer and the tc filter give the right verdicts and bytes', {}, () => {
  const balancer = readFileSync(`${GUEST_ROOT}/${guestObjectPath('load-balancer')}`);
  checkLoadBalancer(balancer);
  checkTrafficFilter(balancer);
});
