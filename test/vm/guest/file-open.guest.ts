import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { Cgroup } from '../../../engine/kernel/index.js';
import { assertEvents, Enforcement, type ExpectedEvent, policyText, type Rule } from './enforcement.js';
import { guestTest } from './guest-test.js';
import { AT_FDCWD, bindMount, execve, fileHandleOf, O_PATH, opens, systemCall } from './system-calls.js';

const POLICY = {
  name: 'file-open-test',
  hook: 'file.open',
  severity: 'high',
  attack: [
    {
      id: 'T1003.008',
      name: 'OS Credential Dumping: /etc/passwd, /etc/master.passwd and /etc/shadow',
      tactics: ['credential-access'],
      url: 'https://attack.mitre.org/techniques/T1003/008/',
    },
  ],
};

const ROOT = '/tmp/fo';
const NOBODY = 65534;
const LONG_NAME = 'n'.repeat(255);

const RULES = {
  equals: ['deny', `file.path == "${ROOT}/equal"`],
  in: ['deny', `file.path in ["${ROOT}/in-a", "${ROOT}/in-b", "/dev/shm/fo-in"]`],
  startsWith: ['deny', `file.path.startsWith("${ROOT}/prefix/")`],
  endsWith: ['deny', 'file.path.endsWith(".fo-secret")'],
  contains: ['deny', 'file.path.contains("/fo-hidden/")'],
  name: ['deny', `file.name in ["fo-name", "${LONG_NAME}"]`],
  exception: ['deny', `file.path == "${ROOT}/login" && !(process.exe in ["/usr/bin/cat"])`],
  write: ['deny', `file.write && file.path == "${ROOT}/write"`],
  uid: ['deny', `process.uid == ${NOBODY} && file.path == "${ROOT}/uid"`],
  owner: ['deny', 'file.uid == 4242'],
  audit: ['audit', `file.path == "${ROOT}/audit"`],
  kill: ['kill', `process.comm == "cat" && file.path == "${ROOT}/kill"`],
} as const satisfies Record<string, readonly [Rule['effect'], string]>;
type RuleName = keyof typeof RULES;
const ruleIndex = (name: RuleName): number => Object.keys(RULES).indexOf(name);
const textOf = (rules: readonly (readonly [Rule['effect'], string])[]): string =>
  policyText(
    POLICY.name,
    { severity: POLICY.severity, attack: ['T1003.008'] },
    rules.map(([effect, when]) => ({ hook: 'file.open', effect, when })),
  );
const POLICY_TEXT = textOf(Object.values(RULES));
const SMALL_POLICY_TEXT = textOf([RULES.equals]);

/** One action with what the caller sees, and the events that there must be, no more and no fewer. */
interface Row {
  readonly name: string;
  readonly act: () => string;
  readonly result: string;
  readonly events: readonly ExpectedEvent[];
}

function denied(rule: RuleName, fields: Readonly<Record<string, unknown>>): ExpectedEvent {
  return { verdict: 'denied', rule: ruleIndex(rule), fields };
}

/** What open(2) says: `ok` or the error's name. */
function open(path: string, flags: string | number = 'r'): string {
  try {
    closeSync(openSync(path, flags));
    return 'ok';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** What a program says about a file: `ok`, or its complaint. */
function run(program: string, args: readonly string[], options: { uid?: number } = {}): string {
  const result = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (result.status === 0) return 'ok';
  return result.signal ?? (/Operation not permitted/.test(result.stderr) ? 'EPERM' : result.stderr);
}

/** Does something in another directory, which holds for the whole process. */
function inDirectory<Result>(path: string, act: () => Result): Result {
  const before = process.cwd();
  process.chdir(path);
  try {
    return act();
  } finally {
    process.chdir(before);
  }
}

function withDescriptor<Result>(path: string, flags: number, act: (fd: number) => Result): Result {
  const fd = openSync(path, flags);
  try {
    return act(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes and enters directories until the path from the root is longer than PATH_MAX, then calls `act` there. */
function inDeepDirectory<Result>(parent: string, act: () => Result): Result {
  const name = 'd'.repeat(250);
  const depth = Math.ceil(4096 / name.length) + 1;
  return inDirectory(parent, () => {
    for (let level = 0; level < depth; level++) {
      mkdirSync(name);
      process.chdir(name);
    }
    try {
      return act();
    } finally {
      for (let level = 0; level < depth; level++) {
        process.chdir('..');
        rmdirSync(name);
      }
    }
  });
}

function prepareFiles(): void {
  rmSync(ROOT, { recursive: true, force: true });
  for (const directory of ['prefix', 'fo-hidden', 'jail/tmp/fo', 'dir', 'deep', 'mnt', 'renamed']) {
    mkdirSync(`${ROOT}/${directory}`, { recursive: true });
  }
  const names = ['equal', 'in-a', 'in-b', 'prefix/x', 'x.fo-secret', 'fo-hidden/x', 'dir/fo-name', LONG_NAME];
  const more = [
    'login',
    'write',
    'uid',
    'owned',
    'audit',
    'kill',
    'free',
    'equal2',
    'jail/tmp/fo/equal',
    'renamed/x',
  ];
  for (const name of [...names, ...more]) writeFileSync(`${ROOT}/${name}`, 'content');
  writeFileSync('/dev/shm/fo-in', 'content');
  chownSync(`${ROOT}/owned`, 4242, 0);
  copyFileSync('/usr/bin/busybox', `${ROOT}/jail/busybox`);
  copyFileSync('/usr/bin/busybox', '/tmp/busybox');
  copyFileSync('/usr/bin/true', `${ROOT}/prefix/program`);
  chmodSync(`${ROOT}/prefix/program`, 0o755);
  symlinkSync('equal', `${ROOT}/symlink`);
  linkSync(`${ROOT}/equal`, `${ROOT}/hard-link`);
}

const equal = `${ROOT}/equal`;
const itself = { 'process.pid': process.pid, 'process.exe': '/usr/bin/node', 'process.uid': 0 };

const CONDITIONS: readonly Row[] = [
  {
    name: 'path ==',
    act: () => open(equal),
    result: 'EPERM',
    events: [
      denied('equals', {
        ...itself,
        'process.ppid': process.ppid,
        'process.tid': process.pid,
        'process.gid': 0,
        'process.comm': 'node',
        'file.path': equal,
        'file.name': 'equal',
        'file.write': false,
        'file.uid': 0,
        'file.mode': 0o100644,
        'file.flags': 0o100000,
      }),
    ],
  },
  {
    name: 'path in: the first',
    act: () => open(`${ROOT}/in-a`),
    result: 'EPERM',
    events: [denied('in', { 'file.path': `${ROOT}/in-a` })],
  },
  {
    name: 'path in: on another mount',
    act: () => open('/dev/shm/fo-in'),
    result: 'EPERM',
    events: [denied('in', { 'file.path': '/dev/shm/fo-in', 'file.name': 'fo-in' })],
  },
  {
    name: 'path startsWith',
    act: () => open(`${ROOT}/prefix/x`),
    result: 'EPERM',
    events: [denied('startsWith', { 'file.path': `${ROOT}/prefix/x` })],
  },
  {
    name: 'path endsWith',
    act: () => open(`${ROOT}/x.fo-secret`),
    result: 'EPERM',
    events: [denied('endsWith', { 'file.path': `${ROOT}/x.fo-secret` })],
  },
  {
    name: 'path contains',
    act: () => open(`${ROOT}/fo-hidden/x`),
    result: 'EPERM',
    events: [denied('contains', { 'file.path': `${ROOT}/fo-hidden/x` })],
  },
  {
    name: 'name',
    act: () => open(`${ROOT}/dir/fo-name`),
    result: 'EPERM',
    events: [denied('name', { 'file.path': `${ROOT}/dir/fo-name`, 'file.name': 'fo-name' })],
  },
  {
    name: 'a name of 255 bytes',
    act: () => open(`${ROOT}/${LONG_NAME}`),
    result: 'EPERM',
    events: [denied('name', { 'file.path': `${ROOT}/${LONG_NAME}`, 'file.name': LONG_NAME })],
  },
  {
    name: 'an excepted program is let through',
    act: () => run('/usr/bin/cat', [`${ROOT}/login`]),
    result: 'ok',
    events: [],
  },
  {
    name: 'another program is not',
    act: () => run('/usr/bin/busybox', ['cat', `${ROOT}/login`]),
    result: 'EPERM',
    events: [denied('exception', { 'process.exe': '/usr/bin/busybox', 'process.comm': 'busybox' })],
  },
  {
    name: 'write: opened for writing',
    act: () => open(`${ROOT}/write`, 'a'),
    result: 'EPERM',
    events: [denied('write', { 'file.write': true })],
  },
  { name: 'write: opened for reading', act: () => open(`${ROOT}/write`), result: 'ok', events: [] },
  {
    name: 'write: opened for reading, but emptied (O_TRUNC)',
    act: () => {
      const result = open(`${ROOT}/write`, constants.O_RDONLY | constants.O_TRUNC);
      return `${result}, ${statSync(`${ROOT}/write`).size} bytes`;
    },
    result: 'EPERM, 7 bytes',
    events: [denied('write', { 'file.write': true })],
  },
  {
    name: 'uid: that user',
    act: () => run('/usr/bin/cat', [`${ROOT}/uid`], { uid: NOBODY }),
    result: 'EPERM',
    events: [denied('uid', { 'process.uid': NOBODY, 'process.exe': '/usr/bin/cat' })],
  },
  { name: 'uid: root', act: () => run('/usr/bin/cat', [`${ROOT}/uid`]), result: 'ok', events: [] },
  {
    name: "the file's owner",
    act: () => open(`${ROOT}/owned`),
    result: 'EPERM',
    events: [denied('owner', { 'file.uid': 4242 })],
  },
  {
    name: 'audit reports and lets through',
    act: () => open(`${ROOT}/audit`),
    result: 'ok',
    events: [{ verdict: 'audited', rule: ruleIndex('audit'), fields: { 'file.path': `${ROOT}/audit` } }],
  },
  {
    name: 'kill kills',
    act: () => run('/usr/bin/cat', [`${ROOT}/kill`]),
    result: 'SIGKILL',
    events: [{ verdict: 'killed', rule: ruleIndex('kill'), fields: { 'process.exe': '/usr/bin/cat' } }],
  },
  { name: 'another file is untouched', act: () => open(`${ROOT}/free`), result: 'ok', events: [] },
  { name: 'a longer name is another file', act: () => open(`${ROOT}/equal2`), result: 'ok', events: [] },
  { name: 'a file that is not there', act: () => open(`${ROOT}/prefix/none`), result: 'ENOENT', events: [] },
  {
    name: 'a new file in a denied place: made, not opened',
    act: () => open(`${ROOT}/prefix/new`, 'w'),
    result: 'EPERM',
    events: [denied('startsWith', { 'file.path': `${ROOT}/prefix/new`, 'file.write': true })],
  },
];

const deniedEqual = [denied('equals', { 'file.path': equal, 'file.name': 'equal' })];

/** Other ways to the same file. */
const DETOURS: readonly Row[] = [
  { name: 'symlink', act: () => open(`${ROOT}/symlink`), result: 'EPERM', events: deniedEqual },
  {
    name: 'relative path',
    act: () => inDirectory(ROOT, () => open('equal')),
    result: 'EPERM',
    events: deniedEqual,
  },
  { name: '..', act: () => open(`${ROOT}/dir/.././../fo//equal`), result: 'EPERM', events: deniedEqual },
  {
    name: '/proc/self/root',
    act: () => open(`/proc/self/root${equal}`),
    result: 'EPERM',
    events: deniedEqual,
  },
  {
    name: '/proc/self/cwd',
    act: () => inDirectory(ROOT, () => open('/proc/self/cwd/equal')),
    result: 'EPERM',
    events: deniedEqual,
  },
  {
    name: 'an O_PATH descriptor, opened again',
    act: () => withDescriptor(equal, O_PATH, (fd) => open(`/proc/self/fd/${fd}`)),
    result: 'EPERM',
    events: deniedEqual,
  },
  {
    name: 'open(2)',
    act: () => opens(systemCall('open', equal, 0, 0)),
    result: 'EPERM',
    events: deniedEqual,
  },
  {
    name: 'creat(2)',
    act: () => opens(systemCall('creat', equal, 0o600)),
    result: 'EPERM',
    events: deniedEqual,
  },
  {
    name: 'openat2(2)',
    act: () => opens(systemCall('openat2', AT_FDCWD, equal, new Uint8Array(24), 24)),
    result: 'EPERM',
    events: deniedEqual,
  },
  {
    name: 'open_by_handle_at(2)',
    act: () => {
      const handle = fileHandleOf(`${ROOT}/in-a`);
      return withDescriptor('/tmp', constants.O_RDONLY, (mount) =>
        opens(systemCall('open_by_handle_at', mount, handle, 0)),
      );
    },
    result: 'EPERM',
    events: [denied('in', { 'file.path': `${ROOT}/in-a` })],
  },
  {
    name: 'exec opens the program',
    act: () => execve(`${ROOT}/prefix/program`, ['program']),
    result: 'EPERM',
    events: [denied('startsWith', { 'file.path': `${ROOT}/prefix/program` })],
  },
  {
    name: 'chroot into the directory above: the path is that of the mount namespace',
    act: () => run('/usr/bin/busybox', ['chroot', '/tmp', '/busybox', 'cat', '/fo/equal']),
    result: 'EPERM',
    events: deniedEqual,
  },
  {
    name: 'chroot with a file of the same name inside is another file',
    act: () => run('/usr/bin/busybox', ['chroot', `${ROOT}/jail`, '/busybox', 'cat', equal]),
    result: 'ok',
    events: [],
  },
  {
    name: 'a program in a chroot does not pass for the excepted one',
    act: () => {
      mkdirSync('/tmp/usr/bin', { recursive: true });
      copyFileSync('/usr/bin/busybox', '/tmp/usr/bin/cat');
      return run('/usr/bin/busybox', ['chroot', '/tmp', '/usr/bin/cat', '/fo/login']);
    },
    result: 'EPERM',
    events: [denied('exception', { 'process.exe': '/tmp/usr/bin/cat' })],
  },
  {
    name: 'a renamed parent: the path is the present one',
    act: () => {
      renameSync(`${ROOT}/renamed`, `${ROOT}/prefix/renamed`);
      return open(`${ROOT}/prefix/renamed/x`);
    },
    result: 'EPERM',
    events: [denied('startsWith', { 'file.path': `${ROOT}/prefix/renamed/x` })],
  },
  {
    name: 'a path longer than PATH_MAX fails closed for startsWith and contains',
    act: () =>
      inDeepDirectory(`${ROOT}/deep`, () => {
        linkSync(`${ROOT}/free`, 'leaf');
        try {
          return open('leaf');
        } finally {
          rmSync('leaf');
        }
      }),
    result: 'EPERM',
    events: [
      {
        ...denied('startsWith', { 'file.name': 'leaf' }),
        alsoMatched: [ruleIndex('contains')],
        failedClosed: true,
        incomplete: ['file.path'],
      },
    ],
  },
  {
    name: 'another file mounted over the path',
    act: () => {
      using _mount = bindMount(`${ROOT}/free`, equal);
      return open(equal);
    },
    result: 'EPERM',
    events: [denied('equals', { 'file.path': equal, 'file.name': 'free' })],
  },
  {
    name: 'the file mounted elsewhere keeps its own name',
    act: () => {
      using _mount = bindMount(`${ROOT}/dir/fo-name`, `${ROOT}/free`);
      return open(`${ROOT}/free`);
    },
    result: 'EPERM',
    events: [denied('name', { 'file.path': `${ROOT}/free`, 'file.name': 'fo-name' })],
  },
];

/** What a rule on the path does not see; SECURITY.md says so. */
const NOT_SEEN: readonly Row[] = [
  { name: 'O_PATH opens no content', act: () => open(equal, O_PATH), result: 'ok', events: [] },
  {
    name: 'a hard link is a path of its own',
    act: () => open(`${ROOT}/hard-link`),
    result: 'ok',
    events: [],
  },
  {
    name: 'a bind mount of the directory gives a second path',
    act: () => {
      using _mount = bindMount(ROOT, `${ROOT}/mnt`);
      return open(`${ROOT}/mnt/equal`);
    },
    result: 'ok',
    events: [],
  },
  {
    name: 'truncate(2) is no open',
    act: () => String(systemCall('truncate', `${ROOT}/write`, 3)),
    result: '0',
    events: [],
  },
];

guestTest('on the whole machine', { needs: ['bpf-lsm'] }, async (context) => {
  prepareFiles();
  using enforcement = new Enforcement(POLICY_TEXT);
  for (const row of [...CONDITIONS, ...DETOURS, ...NOT_SEEN]) {
    await context.test(row.name, () => {
      enforcement.take();
      const result = row.act();
      const events = enforcement.take();
      assert.equal(result, row.result);
      assertEvents(events, POLICY, row.events);
    });
  }
  await context.test(
    'a file that was moved out of the mount it is reached by has no path: fails closed',
    () => {
      const [source, mount] = [`${ROOT}/source`, `${ROOT}/mount`];
      mkdirSync(`${source}/inner`, { recursive: true });
      mkdirSync(mount);
      writeFileSync(`${source}/inner/stray`, 'content');
      using _mount = bindMount(source, mount);
      process.chdir(`${mount}/inner`);
      // Outside of what is mounted at `mount`, yet still reached through it.
      renameSync(`${source}/inner`, `${ROOT}/moved`);
      enforcement.take();
      try {
        assert.equal(open('stray'), 'EPERM');
      } finally {
        process.chdir('/');
      }
      assertEvents(enforcement.take(), POLICY, [
        {
          ...denied('startsWith', { 'file.name': 'stray' }),
          alsoMatched: (['endsWith', 'contains'] as const).map(ruleIndex),
          failedClosed: true,
          incomplete: ['file.path'],
        },
      ]);
    },
  );
  const { lost, unjudged } = enforcement.session.counters();
  assert.deepEqual({ lost, unjudged }, { lost: 0, unjudged: 0 });
  await context.test('detached, it refuses nothing, and its records can still be read', () => {
    assert.equal(open(equal), 'EPERM');
    enforcement.session.detach();
    assert.equal(readFileSync(equal, 'utf8'), 'content');
    assert.equal(enforcement.take().length, 1);
  });
});

const CGROUPS = ['scope', 'scope/child', 'scope2'].map((name) => `/sys/fs/cgroup/vespid-${name}`);

guestTest('a cgroup scope holds inside and below, and nowhere else', { needs: ['bpf-lsm'] }, () => {
  prepareFiles();
  const [inside = '', child = '', sibling = ''] = CGROUPS;
  for (const cgroup of CGROUPS) mkdirSync(cgroup);
  try {
    using scope = Cgroup.open(inside);
    using enforcement = new Enforcement(SMALL_POLICY_TEXT, { scope });
    const readIn = (cgroup: string): string =>
      run('/usr/bin/sh', ['-c', `echo $$ >${cgroup}/cgroup.procs && exec cat ${equal}`]);
    const rows = {
      inside: readIn(inside),
      child: readIn(child),
      sibling: readIn(sibling),
      outside: open(equal),
    };
    assert.deepEqual(rows, { inside: 'EPERM', child: 'EPERM', sibling: 'ok', outside: 'ok' });
    assertEvents(enforcement.take(), POLICY, [
      denied('equals', { 'process.cgroup_id': Number(scope.id) }),
      denied('equals', { 'process.cgroup_id': statSync(child).ino }),
    ]);
  } finally {
    for (const cgroup of CGROUPS.toReversed()) rmdirSync(cgroup);
  }
});
