import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bootTimeNs } from '../../engine/kernel/index.js';
import { thrownBy } from '../policies/policy-text.js';
import { type HeldObject, heldObjects, type ObjectKind, survivors } from './bpf-objects.js';
import { onePolicy, planPolicies } from './plan-policies.js';
import { ScopedSession } from './scoped-session.js';
import { TestCgroup } from './test-cgroup.js';

let cgroup: TestCgroup;
let folder: string;
let count = 0;

beforeEach(() => {
  cgroup = new TestCgroup(`session-${count++}`);
  folder = mkdtempSync(join(tmpdir(), 'vespid-host-'));
});
afterEach(async () => {
  await cgroup[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function writeSecret(name = 'secret'): string {
  const path = join(folder, name);
  writeFileSync(path, 'the secret\n', { mode: 0o640 });
  return path;
}

/** The number that a field holds, however it is written in JSON. */
const integer = (value: string | number | undefined): bigint => BigInt(value ?? -1);

describe('file.open through the tracepoint', () => {
  test('an audited open is an event with the right fields, and the open goes on', () => {
    const path = writeSecret();
    const link = join(folder, 'link');
    symlinkSync(path, link);
    using session = new ScopedSession(onePolicy('file.open', `file.path == "${path}"`, 'audit'), cgroup.path);
    const before = bootTimeNs();
    const outcome = cgroup.run(['/bin/cat', link]);
    const [event, ...others] = session.events();
    expect(outcome).toMatchObject({ status: 0, stdout: 'the secret\n' });
    expect(others).toEqual([]);
    const file = statSync(path);
    expect(event).toMatchObject({
      hook: 'file.open',
      verdict: 'audited',
      severity: 'high',
      policy: { name: 'sample', rule: 0 },
      process: {
        pid: outcome.pid,
        tid: outcome.pid,
        ppid: process.pid,
        uid: process.getuid?.(),
        gid: process.getgid?.(),
        comm: 'cat',
        exe: readlinkOfCat(),
      },
      file: { name: 'secret', path, uid: file.uid, mode: file.mode, inode: file.ino, write: false },
    });
    expect(event?.incomplete).toBeUndefined();
    expect(integer(event?.process.cgroup_id)).toBe(statSync(cgroup.path, { bigint: true }).ino);
    const sinceTest = Date.parse(event?.time ?? '') - (Date.now() - Number(bootTimeNs() - before) / 1e6);
    expect(Math.abs(sinceTest)).toBeLessThan(5_000);
    expect(session.kernel.counters()).toEqual({ lost: 0, unjudged: 0, matched: 1 });
  });

  test.each([
    { how: 'read', command: (path: string) => `: < ${path}`, write: false },
    { how: 'append', command: (path: string) => `: >> ${path}`, write: true },
    { how: 'truncate', command: (path: string) => `: > ${path}`, write: true },
    { how: 'read and write', command: (path: string) => `: <> ${path}`, write: true },
  ])('an open to $how has write = $write', ({ command, write }) => {
    const path = writeSecret();
    using session = new ScopedSession(
      onePolicy('file.open', `file.path == "${path}" && file.write == ${write}`, 'audit'),
      cgroup.path,
    );
    cgroup.run(['/bin/sh', '-c', command(path)]);
    expect(session.events().map((event) => event.file?.write)).toEqual([write]);
  });

  test('an open that fails is no event', () => {
    const path = join(folder, 'nothing-here');
    using session = new ScopedSession(
      onePolicy('file.open', 'file.name == "nothing-here"', 'audit'),
      cgroup.path,
    );
    expect(cgroup.run(['/bin/cat', path]).status).toBe(1);
    expect(session.events()).toEqual([]);
  });

  test('a path in a mounted directory, with multi-byte names and 40 levels, is the path that the process sees', () => {
    const deep = join(folder, ...new Array<string>(40).fill('Straße'), '😀');
    mkdirSync(deep, { recursive: true });
    const path = join(deep, 'ключ');
    writeFileSync(path, '');
    using session = new ScopedSession(
      onePolicy('file.open', `file.name == "ключ" || file.path.startsWith("/dev/shm/vespid-")`, 'audit'),
      cgroup.path,
    );
    const onShm = mkdtempSync('/dev/shm/vespid-host-');
    try {
      writeFileSync(join(onShm, 'here'), '');
      cgroup.run(['/bin/cat', path, join(onShm, 'here')]);
    } finally {
      rmSync(onShm, { recursive: true });
    }
    expect(session.events().map((event) => event.file?.path)).toEqual([path, join(onShm, 'here')]);
  });

  test('kill ends the process before it can use the file', () => {
    const path = writeSecret();
    using session = new ScopedSession(onePolicy('file.open', `file.path == "${path}"`, 'kill'), cgroup.path);
    const outcome = cgroup.run(['/bin/cat', path]);
    expect(outcome).toMatchObject({ status: null, signal: 'SIGKILL', stdout: '' });
    expect(session.events()).toMatchObject([
      { verdict: 'killed', process: { pid: outcome.pid, comm: 'cat' }, file: { path } },
    ]);
  });

  test('a process outside the cgroup is neither killed nor seen', () => {
    const path = writeSecret();
    using session = new ScopedSession(onePolicy('file.open', `file.path == "${path}"`, 'kill'), cgroup.path);
    expect(TestCgroup.runOutside(['/bin/cat', path])).toMatchObject({ status: 0, stdout: 'the secret\n' });
    expect(session.events()).toEqual([]);
    expect(session.kernel.counters()).toEqual({ lost: 0, unjudged: 0, matched: 0 });
  });

  test('a cgroup below the scope belongs to it', () => {
    const path = writeSecret();
    using session = new ScopedSession(onePolicy('file.open', `file.path == "${path}"`, 'audit'), cgroup.path);
    const below = join(cgroup.path, 'below');
    mkdirSync(below);
    try {
      cgroup.run(['/bin/sh', '-c', `echo $$ > ${below}/cgroup.procs; exec cat ${path}`]);
      expect(session.events()).toHaveLength(1);
    } finally {
      rmdirSync(below);
    }
  });

  test('after detach nothing is seen or killed any more', () => {
    const path = writeSecret();
    using session = new ScopedSession(onePolicy('file.open', `file.path == "${path}"`, 'kill'), cgroup.path);
    session.kernel.detach();
    expect(cgroup.run(['/bin/cat', path])).toMatchObject({ status: 0, stdout: 'the secret\n' });
    expect(session.events()).toEqual([]);
  });
});

/** /bin/cat with links resolved, as the kernel names an executable. */
function readlinkOfCat(): string {
  return TestCgroup.runOutside(['/usr/bin/readlink', '-f', '/bin/cat']).stdout.trim();
}

describe('an effect that this kernel cannot deliver', () => {
  test('deny on file.open is refused, and the hint names kill', () => {
    const error = thrownBy(() =>
      planPolicies(onePolicy('file.open', 'file.name == "x"', 'deny'), { degrade: false }),
    );
    expect(error).toMatchObject({ code: 'EFFECT_NOT_DELIVERABLE', exitCode: 4 });
    expect(error.hint).toContain('--degrade');
    expect(error.hint).toContain('kill');
    expect(error.details).toMatchObject({ requested: 'deny', instead: 'kill', hook: 'file.open', rule: 0 });
  });

  test('with degrade the process is killed, and the event says that it was degraded', () => {
    const path = writeSecret();
    using session = new ScopedSession(onePolicy('file.open', `file.path == "${path}"`, 'deny'), cgroup.path, {
      degrade: true,
    });
    expect(cgroup.run(['/bin/cat', path]).signal).toBe('SIGKILL');
    const [event] = session.events();
    expect(event).toMatchObject({ verdict: 'killed', degraded: { requested: 'deny' } });
    expect(event?.degraded?.reason).toContain('BPF LSM');
  });

  test('kill on net.connect becomes deny', () => {
    const error = thrownBy(() => planPolicies(onePolicy('net.connect', 'true', 'kill'), { degrade: false }));
    expect(error).toMatchObject({ code: 'EFFECT_NOT_DELIVERABLE', details: { instead: 'deny' } });
  });

  test('a field that no attach point of this kernel can read is refused with its name', () => {
    const error = thrownBy(() =>
      planPolicies(onePolicy('process.exec', 'process.exe == "/bin/sh"', 'audit'), { degrade: true }),
    );
    expect(error).toMatchObject({ code: 'HOOK_NOT_ATTACHABLE', exitCode: 4 });
    expect(error.message).toContain('process.exe');
  });
});

describe('process.exec through the tracepoint', () => {
  test('an audited exec has the fields of the new program and says what it cannot know', () => {
    using session = new ScopedSession(onePolicy('process.exec', 'exec.name == "mine"', 'audit'), cgroup.path);
    const program = join(folder, 'mine');
    copyFileSync('/bin/echo', program);
    chmodSync(program, 0o755);
    const outcome = cgroup.run([program, 'a b', '', 'ü']);
    expect(outcome).toMatchObject({ status: 0, stdout: 'a b  ü\n' });
    const [event, ...others] = session.events();
    expect(others).toEqual([]);
    const { ino, uid, mode } = statSync(program);
    expect(event).toMatchObject({
      hook: 'process.exec',
      verdict: 'audited',
      process: { pid: outcome.pid, ppid: process.pid, uid: process.getuid?.() },
      exec: {
        name: 'mine',
        path: program,
        filename: program,
        args: `${program} a b  ü`,
        inode: ino,
        uid,
        mode,
      },
    });
    expect(event?.process.exe).toBeUndefined();
    expect(event?.incomplete).toEqual(['process.comm', 'process.exe']);
  });

  test('a script is judged once the interpreter is in place, under its own name in exec.filename', () => {
    const script = join(folder, 'run.sh');
    writeFileSync(script, '#!/bin/sh -e\necho script\n', { mode: 0o755 });
    using session = new ScopedSession(
      onePolicy('process.exec', `exec.filename == "${script}"`, 'audit'),
      cgroup.path,
    );
    expect(cgroup.run([script, 'x']).stdout).toBe('script\n');
    const [event] = session.events();
    expect(event?.exec).toMatchObject({ filename: script, args: `/bin/sh -e ${script} x` });
    expect(event?.exec?.name).not.toBe('run.sh');
  });

  test.each([
    { what: 'twenty arguments', args: new Array<string>(19).fill('x'), cut: false },
    { what: 'twenty-one arguments', args: new Array<string>(20).fill('x'), cut: true },
    { what: 'a text that just fits', args: ['y'.repeat(501)], cut: false },
    { what: 'one byte too many', args: ['y'.repeat(502)], cut: true },
  ])('$what: cut is $cut', ({ args, cut }) => {
    using session = new ScopedSession(onePolicy('process.exec', 'exec.name == "true"', 'audit'), cgroup.path);
    cgroup.run(['/bin/true', ...args]);
    const [event] = session.events();
    const whole = ['/bin/true', ...args].join(' ');
    expect(event?.incomplete?.includes('exec.args') ?? false).toBe(cut);
    expect(whole.startsWith(event?.exec?.args ?? '?')).toBe(true);
    if (!cut) expect(event?.exec?.args).toBe(whole);
  });

  test('kill ends the process before the first instruction of the new program', () => {
    using session = new ScopedSession(onePolicy('process.exec', 'exec.name == "touch"', 'kill'), cgroup.path);
    const mark = join(folder, 'mark');
    const outcome = cgroup.run(['/usr/bin/touch', mark]);
    expect(outcome).toMatchObject({ status: null, signal: 'SIGKILL' });
    expect(readdirSync(folder)).toEqual([]);
    expect(session.events()).toMatchObject([{ verdict: 'killed', exec: { name: 'touch' } }]);
  });
});

describe('net.connect through cgroup hooks', () => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, '::', resolve));
    const address = server.address();
    port = typeof address === 'object' && address !== null ? address.port : 0;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  /** A connection by Node inside the cgroup; prints `open` or the error's code. */
  function connect(where: 'inside' | 'outside', host: string, toPort = port) {
    const script = `const s = require('node:net').connect(${toPort}, ${JSON.stringify(host)}, () => { console.log('open'); s.destroy(); });
      s.on('error', (e) => console.log(e.code));`;
    const command = [process.execPath, '-e', script];
    return where === 'inside' ? cgroup.run(command) : TestCgroup.runOutside(command);
  }

  test.each([
    { what: 'IPv4', host: '127.0.0.1', address: '127.0.0.1', family: 'ipv4' },
    { what: 'IPv6', host: '::1', address: '::1', family: 'ipv6' },
    { what: 'IPv4 written as IPv6', host: '::ffff:127.0.0.1', address: '127.0.0.1', family: 'ipv4' },
    { what: 'the unspecified IPv4 address', host: '0.0.0.0', address: '127.0.0.1', family: 'ipv4' },
    { what: 'the unspecified IPv6 address', host: '::', address: '::1', family: 'ipv6' },
  ])('$what is denied with EPERM, and the event has the destination', ({ host, address, family }) => {
    using session = new ScopedSession(
      onePolicy('net.connect', `net.address == "${address}" && net.port == ${port}`, 'deny'),
      cgroup.path,
    );
    const outcome = connect('inside', host);
    expect(outcome.stdout).toBe('EPERM\n');
    const [event, ...others] = session.events();
    expect(others).toEqual([]);
    expect(event).toMatchObject({
      hook: 'net.connect',
      verdict: 'denied',
      process: { pid: outcome.pid, ppid: process.pid },
      net: { address, port, family, protocol: 'tcp' },
    });
    expect(connect('outside', host).stdout).toBe('open\n');
    expect(session.events()).toEqual([]);
  });

  test('an audited connection goes on', () => {
    using session = new ScopedSession(
      onePolicy('net.connect', 'cidr("127.0.0.0/8").containsIP(net.address)', 'audit'),
      cgroup.path,
    );
    expect(connect('inside', '127.0.0.1').stdout).toBe('open\n');
    expect(session.events()).toMatchObject([{ verdict: 'audited', net: { address: '127.0.0.1', port } }]);
  });

  test('what no rule names goes on unseen', () => {
    using session = new ScopedSession(
      onePolicy('net.connect', `net.port == ${port} && net.protocol == "udp"`, 'deny'),
      cgroup.path,
    );
    expect(connect('inside', '127.0.0.1').stdout).toBe('open\n');
    expect(session.events()).toEqual([]);
  });

  test('UDP is a connection too', () => {
    using session = new ScopedSession(
      onePolicy('net.connect', `net.port == ${port} && net.protocol == "udp"`, 'deny'),
      cgroup.path,
    );
    const script = `const s = require('node:dgram').createSocket('udp4');
      s.on('error', () => {}); s.connect(${port}, '127.0.0.1', (e) => { console.log(e ? e.code : 'open'); s.close(); });`;
    expect(cgroup.run([process.execPath, '-e', script]).stdout).toBe('EPERM\n');
    expect(session.events()).toMatchObject([{ net: { protocol: 'udp' }, verdict: 'denied' }]);
  });
});

describe('several rules', () => {
  test('one action is one event that names every rule; the strongest effect wins', () => {
    const path = writeSecret();
    const policies = [
      onePolicy('file.open', `file.path == "${path}"`, 'audit', 'first'),
      onePolicy('file.open', 'file.name == "something else"', 'kill', 'second'),
      onePolicy('file.open', 'file.name == "secret"', 'kill', 'third'),
    ].join('---\n');
    using session = new ScopedSession(policies, cgroup.path);
    expect(cgroup.run(['/bin/cat', path]).signal).toBe('SIGKILL');
    const [event, ...others] = session.events();
    expect(others).toEqual([]);
    expect(event?.matches.map((match) => match.policy)).toEqual(['first', 'third']);
    expect(event).toMatchObject({ policy: { name: 'third' }, verdict: 'killed' });
  });
});

describe('the ring buffer when nobody reads', () => {
  test('counts exactly what did not fit, and takes up again afterwards', () => {
    const path = writeSecret();
    const opens = 200;
    using session = new ScopedSession(
      onePolicy('file.open', `file.path == "${path}"`, 'audit'),
      cgroup.path,
      {
        ringBytes: 4096,
      },
    );
    const script = `i=0; while [ $i -lt ${opens} ]; do : < ${path}; i=$((i+1)); done`;
    cgroup.run(['/bin/sh', '-c', script]);
    const received = session.events().length;
    const { lost, matched, unjudged } = session.kernel.counters();
    expect({ matched, unjudged, sum: lost + received }).toEqual({ matched: opens, unjudged: 0, sum: opens });
    expect(lost).toBeGreaterThan(100);
    expect(received).toBeGreaterThan(5);
    cgroup.run(['/bin/cat', path]);
    expect(session.events()).toHaveLength(1);
    expect(session.kernel.counters().lost).toBe(lost);
  });
});

describe('what a session leaves behind', () => {
  const policies = (path: string) =>
    [
      onePolicy('file.open', `file.path == "${path}"`, 'audit', 'files'),
      onePolicy('net.connect', 'net.port == 1', 'deny', 'net'),
      onePolicy('process.exec', 'exec.name == "nothing"', 'audit', 'exec'),
    ].join('---\n');

  test('nothing: no program, map, link, BTF or descriptor', async () => {
    const path = writeSecret();
    const cycle = (): HeldObject[] => {
      using session = new ScopedSession(policies(path), cgroup.path);
      cgroup.run(['/bin/cat', path]);
      expect(session.events()).toHaveLength(1);
      return heldObjects();
    };
    const before = heldObjects();
    const first = cycle();
    const kinds = new Set(first.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set<ObjectKind>(['prog', 'map', 'link', 'btf']));
    const descriptors = readdirSync('/proc/self/fd').length;
    const all = [...first, ...cycle(), ...cycle()];
    expect(readdirSync('/proc/self/fd')).toHaveLength(descriptors);
    expect(heldObjects()).toEqual(before);
    expect(await survivors(all)).toEqual([]);
  });

  test('nothing either when it cannot be made', () => {
    const before = heldObjects();
    const refused = (path: string, ringBytes: number) =>
      thrownBy(() => new ScopedSession(policies('/x'), path, { ringBytes })).code;
    expect(refused(join(cgroup.path, 'no'), 4096)).toBe('CGROUP_NOT_FOUND');
    expect(refused(cgroup.path, 100)).toBe('KERNEL_CALL_FAILED');
    expect(heldObjects()).toEqual(before);
  });
});
