import { closeSync, mkdirSync, openSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { ATTACH_TYPE, MAP_TYPE } from '../../engine/bytecode/index.js';
import { queryPrograms } from '../../engine/kernel/commands/link-commands.js';
import {
  type AttachOrder,
  attachIterator,
  attachPerfEvent,
  attachRawTracepoint,
  attachToCgroup,
  attachToSockmap,
  attachTracing,
  attachUprobe,
  attachUprobeMulti,
  BpfLink,
  BpfMap,
  Cgroup,
  cgroupRoot,
  functionOffsets,
  PERF_SOFTWARE,
  PERF_TYPE,
  ResourceStack,
  readIterator,
  u32Key,
} from '../../engine/kernel/index.js';
import { compileFixture } from '../bytecode/external-tools.js';
import { ConnectedSockets } from '../links/connected-sockets.js';
import { COUNTER, cookieOf } from '../links/counters.js';
import { LoadedFixture } from '../links/loaded-fixture.js';
import { thrownBy } from '../policies/policy-text.js';

let object: Uint8Array;
beforeAll(() => {
  object = compileFixture('links');
});

let resources = new ResourceStack();
afterEach(() => {
  resources[Symbol.dispose]();
  resources = new ResourceStack();
});

/** Loads programs; those that see other processes count this one. */
function load(...programs: string[]): LoadedFixture {
  const fixture = resources.use(new LoadedFixture(object, programs));
  if (fixture.hasMap('wanted')) fixture.setU64('wanted', 0, BigInt(process.pid));
  return fixture;
}

const systemCall = () => closeSync(openSync('/dev/null', 'r'));

/** Attached it counts; without its owner it does not. */
function expectFires(
  fixture: LoadedFixture,
  counter: number,
  attachment: Disposable,
  cause: () => void,
): void {
  const count = () => fixture.u64('hits', counter);
  const before = count();
  cause();
  const after = count();
  expect(after).toBeGreaterThan(before);
  attachment[Symbol.dispose]();
  const last = count();
  cause();
  expect(count()).toBe(last);
}

describe('tracing', () => {
  test('raw tracepoint', () => {
    const fixture = load('on_raw_tracepoint');
    const link = attachRawTracepoint(fixture.program('on_raw_tracepoint'), 'sys_enter');
    expect(link.info()).toMatchObject({
      programId: fixture.program('on_raw_tracepoint').info().id,
      target: { type: 'raw-tracepoint', name: 'sys_enter' },
    });
    expectFires(fixture, COUNTER.rawTracepoint, link, systemCall);
  });

  test('a raw tracepoint that is not there', () => {
    const fixture = load('on_raw_tracepoint');
    const refused = thrownBy(() => attachRawTracepoint(fixture.program('on_raw_tracepoint'), 'nonesuch'));
    expect(refused.details).toMatchObject({ errnoName: 'ENOENT' });
  });

  test('tp_btf', () => {
    const fixture = load('on_tp_btf');
    const link = attachTracing(fixture.program('on_tp_btf'));
    // The kernel makes the same kind of link of it.
    expect(link.info().target).toEqual({ type: 'raw-tracepoint', name: 'sys_enter' });
    expectFires(fixture, COUNTER.tpBtf, link, systemCall);
  });

  test('update is refused where the kernel cannot', () => {
    const fixture = load('on_raw_tracepoint');
    const program = fixture.program('on_raw_tracepoint');
    using link = attachRawTracepoint(program, 'sys_enter');
    expect(thrownBy(() => link.update(program)).details).toMatchObject({ errnoName: 'EINVAL' });
  });

  test('iterator', () => {
    const fixture = load('on_iterate_maps');
    using link = attachIterator(fixture.program('on_iterate_maps'));
    expect(link.info().target).toEqual({ type: 'iter', name: 'bpf_map' });
    readIterator(link);
    // Every map and the end.
    expect(fixture.u64('hits', COUNTER.iterator)).toBeGreaterThan(1n);
  });

  test('perf event', async () => {
    const fixture = load('on_perf_event');
    const link = attachPerfEvent(
      fixture.program('on_perf_event'),
      { type: PERF_TYPE.software, config: BigInt(PERF_SOFTWARE.cpuClock), samplePeriod: 100_000n },
      { pid: process.pid },
    );
    const spin = () => {
      for (const end = Date.now() + 50; Date.now() < end; );
    };
    expect(link.info().target).toMatchObject({ type: 'perf-event', kind: 'event' });
    expectFires(fixture, COUNTER.perfEvent, link, spin);
  });
});

describe('uprobes', () => {
  const libc = () => {
    const line = readFileSync('/proc/self/maps', 'utf8')
      .split('\n')
      .find((each) => each.includes('libc.so.6'));
    return line?.slice(line.indexOf('/')) ?? '';
  };
  const call = () => void process.getuid?.();

  test('at a function of a library, with a cookie', () => {
    const fixture = load('on_uprobe');
    const link = attachUprobe(
      fixture.program('on_uprobe'),
      { path: libc(), function: 'getuid' },
      { pid: process.pid, cookie: 0x1234_5678_9abcn },
    );
    const [offset] = functionOffsets(libc(), ['getuid']);
    expect(link.info().target).toEqual({
      type: 'perf-event',
      kind: 'uprobe',
      name: libc(),
      offset: Number(offset),
    });
    expectFires(fixture, COUNTER.uprobe, link, call);
    expect(fixture.u64('hits', cookieOf(COUNTER.uprobe))).toBe(0x1234_5678_9abcn);
  });

  test('at the return, at an offset in the file', () => {
    const fixture = load('on_uretprobe');
    const [fileOffset = 0n] = functionOffsets(libc(), ['getuid']);
    const link = attachUprobe(
      fixture.program('on_uretprobe'),
      { path: libc(), fileOffset },
      { isReturn: true, pid: process.pid },
    );
    expectFires(fixture, COUNTER.uretprobe, link, call);
  });

  test('many at once', () => {
    const fixture = load('on_uprobe_multi');
    const link = attachUprobeMulti(
      fixture.program('on_uprobe_multi'),
      { path: libc(), functions: ['getuid', 'geteuid', 'getgid'] },
      { pid: process.pid, cookies: [1n, 2n, 3n] },
    );
    expect(link.info().target).toEqual({ type: 'uprobe-multi', count: 3, isReturnProbe: false });
    expectFires(fixture, COUNTER.uprobeMulti, link, call);
  });

  test('a cookie for each place or none', () => {
    const fixture = load('on_uprobe_multi');
    const refused = thrownBy(() =>
      attachUprobeMulti(
        fixture.program('on_uprobe_multi'),
        { path: libc(), functions: ['getuid', 'geteuid'] },
        { cookies: [1n] },
      ),
    );
    expect(refused.code).toBe('ATTACH_INVALID');
  });

  test('a function that is not there, a file that is no executable', () => {
    expect(thrownBy(() => functionOffsets(libc(), ['no_such_function_here'])).code).toBe('SYMBOL_NOT_FOUND');
    expect(thrownBy(() => functionOffsets('/etc/passwd', ['main'])).code).toBe('EXECUTABLE_MALFORMED');
  });
});

describe('cgroup', () => {
  const inCgroup = (run: (cgroup: Cgroup) => Promise<void>) => async () => {
    const path = join(cgroupRoot(), `vespid-test-links-${process.pid}`);
    mkdirSync(path);
    try {
      using cgroup = Cgroup.open(path);
      await run(cgroup);
    } finally {
      rmdirSync(path);
    }
  };

  test(
    'attaches several, says where, updates, detaches',
    inCgroup(async (cgroup) => {
      const fixture = load('on_cgroup_connect', 'on_cgroup_refuse');
      const attachType = ATTACH_TYPE['cgroup-inet4-connect'];
      const [connects, refuses] = [fixture.program('on_cgroup_connect'), fixture.program('on_cgroup_refuse')];
      using link = attachToCgroup(connects, cgroup, attachType);
      using second = attachToCgroup(refuses, cgroup, attachType);
      expect(link.info()).toMatchObject({
        programId: connects.info().id,
        target: { type: 'cgroup', cgroupId: cgroup.id, attachType },
      });
      second.update(connects);
      expect(second.info().programId).toBe(connects.info().id);
      using again = BpfLink.openById(second.info().id);
      second.detach();
      expect(again.info().target).toMatchObject({ type: 'cgroup', cgroupId: 0n });
    }),
  );

  test(
    'takes the place that it is given',
    inCgroup(async (cgroup) => {
      const attachType = ATTACH_TYPE['cgroup-inet4-connect'];
      const [one, two, three] = [
        load('on_cgroup_connect'),
        load('on_cgroup_connect'),
        load('on_cgroup_connect'),
      ];
      const attach = (fixture: LoadedFixture, order?: AttachOrder) =>
        resources.use(attachToCgroup(fixture.program('on_cgroup_connect'), cgroup, attachType, order));
      const last = attach(one);
      attach(two, { before: last });
      attach(three, 'first');
      const { programIds } = queryPrograms(cgroup.fd, attachType, 0, 'a cgroup');
      const idOf = (fixture: LoadedFixture) => fixture.program('on_cgroup_connect').info().id;
      expect([...programIds]).toEqual([three, two, one].map(idOf));
    }),
  );
});

test('sockets of a sockmap: what a program drops is not sent, until it is taken off', async () => {
  const fixture = load('on_sk_msg');
  const sockets = resources.use(
    BpfMap.create({
      name: 'sockets',
      type: MAP_TYPE.sockmap,
      keySize: 4,
      valueSize: 4,
      maxEntries: 1,
      flags: 0,
    }),
  );
  using pair = await ConnectedSockets.open();
  const attachment = attachToSockmap(fixture.program('on_sk_msg'), sockets, ATTACH_TYPE['sk-msg-verdict']);
  sockets.update(u32Key(0), u32Key(pair.clientFd));
  await expect(pair.send('dropped')).rejects.toMatchObject({ code: 'EACCES' });
  expect(fixture.u64('hits', COUNTER.skMsg)).toBe(1n);
  attachment[Symbol.dispose]();
});
