import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { assertEvents, Enforcement, type ExpectedEvent, policyText, type Rule } from './enforcement.js';
import { guestTest } from './guest-test.js';
import { AT_EMPTY_PATH, AT_FDCWD, execve, StringArray, systemCall } from './system-calls.js';

const POLICY = {
  name: 'process-exec-test',
  hook: 'process.exec',
  severity: 'critical',
  attack: [
    {
      id: 'T1620',
      name: 'Reflective Code Loading',
      tactics: ['stealth'],
      url: 'https://attack.mitre.org/techniques/T1620/',
    },
  ],
};

const ROOT = '/tmp/pe';
const SHM = '/dev/shm/pe-program';
const MARK = `${ROOT}/ran`;

const RULES = {
  memory: ['deny', 'exec.path.startsWith("/dev/shm/")'],
  memfd: ['deny', 'exec.path.startsWith("/memfd:")'],
  name: ['deny', 'exec.name == "pe-denied"'],
  interpreter: ['deny', `exec.path == "${ROOT}/bad-interpreter"`],
  arguments: ['deny', 'exec.args.contains("--steal secrets")'],
  filename: ['deny', 'exec.filename == "./pe-relative"'],
  seen: ['audit', `exec.path in ["${ROOT}/script.sh", "${ROOT}/interpreter", "${ROOT}/true"]`],
  kill: ['kill', `exec.path == "${ROOT}/kill"`],
  memfdExact: ['audit', 'exec.path == "/memfd:runtime:/proc/self/exe"'],
} as const satisfies Record<string, readonly [Rule['effect'], string]>;
type RuleName = keyof typeof RULES;
const ruleIndex = (name: RuleName): number => Object.keys(RULES).indexOf(name);
const POLICY_TEXT = policyText(
  POLICY.name,
  { severity: POLICY.severity, attack: ['T1620'] },
  Object.values(RULES).map(([effect, when]) => ({ hook: 'process.exec', effect, when })),
);

interface Row {
  readonly name: string;
  readonly act: () => string;
  readonly result: string;
  readonly events: readonly ExpectedEvent[];
}

type Fields = Readonly<Record<string, unknown>>;
const denied = (rule: RuleName, fields: Fields): ExpectedEvent => ({
  verdict: 'denied',
  rule: ruleIndex(rule),
  fields,
});
const audited = (rule: RuleName, fields: Fields, incomplete: readonly string[] = []): ExpectedEvent => ({
  verdict: 'audited',
  rule: ruleIndex(rule),
  incomplete,
  fields,
});

/** The process is still this one, so its own facts are the event's. */
const itself = { 'process.pid': process.pid, 'process.exe': '/usr/bin/node', 'process.comm': 'node' };

/** `ok`, the signal, or the error of the spawn. */
function run(path: string, args: readonly string[], cwd?: string): string {
  const result = spawnSync(path, args, { encoding: 'utf8', ...(cwd === undefined ? {} : { cwd }) });
  const error = result.error;
  if (error !== undefined && 'code' in error) return String(error.code);
  return result.signal ?? (result.status === 0 ? 'ok' : result.stderr);
}

/** A memfd of that name with a program in it, passed by its number. */
function withMemfd<Result>(name: string, act: (fd: number) => Result): Result {
  const fd = systemCall('memfd_create', name, 0);
  assert.ok(typeof fd === 'number', String(fd));
  writeSync(fd, readFileSync('/usr/bin/true'));
  try {
    return act(fd);
  } finally {
    closeSync(fd);
  }
}

const execveat = (fd: number, path: string, args: readonly string[], flags: number): string =>
  String(systemCall('execveat', fd, path, new StringArray(args), new StringArray([]), flags));

function program(path: string, content: Uint8Array | string): void {
  writeFileSync(path, content);
  chmodSync(path, 0o755);
}

function prepareFiles(): void {
  rmSync(ROOT, { recursive: true, force: true });
  mkdirSync(`${ROOT}/dir`, { recursive: true });
  const marker = `#!/usr/bin/sh\necho ran >${MARK}\n`;
  for (const path of [SHM, `${ROOT}/pe-denied`, `${ROOT}/pe-relative`]) program(path, marker);
  program(`${ROOT}/bad-script.sh`, `#!${ROOT}/bad-interpreter\n`);
  program(`${ROOT}/script.sh`, `#!${ROOT}/interpreter\n:\n`);
  for (const name of ['bad-interpreter', 'interpreter']) copyFileSync('/usr/bin/sh', `${ROOT}/${name}`);
  for (const name of ['true', 'kill', 'free']) copyFileSync('/usr/bin/true', `${ROOT}/${name}`);
  symlinkSync(SHM, `${ROOT}/link`);
}

const LONG_ARGUMENT = 'x'.repeat(600);
const MANY = Array.from({ length: 25 }, (_, index) => `a${index}`);

const ROWS: readonly Row[] = [
  {
    name: 'a program in shared memory, and the caller lives on',
    act: () => execve(SHM, ['pe-program', 'first', 'second argument']),
    result: 'EPERM',
    events: [
      denied('memory', {
        ...itself,
        'process.ppid': process.ppid,
        'process.uid': 0,
        'exec.path': SHM,
        'exec.name': 'pe-program',
        'exec.filename': SHM,
        'exec.args': 'pe-program first second argument',
        'exec.uid': 0,
        'exec.mode': 0o100755,
      }),
    ],
  },
  {
    name: 'started by a shell, which gets the error',
    act: () => {
      const result = spawnSync('/usr/bin/sh', ['-c', `${SHM}; echo "status $?"`], { encoding: 'utf8' });
      return result.stdout.trim();
    },
    result: 'status 126',
    events: [denied('memory', { 'process.exe': '/usr/bin/sh', 'exec.path': SHM, 'exec.args': SHM })],
  },
  {
    name: 'through a symlink',
    act: () => execve(`${ROOT}/link`, ['link']),
    result: 'EPERM',
    events: [denied('memory', { 'exec.path': SHM, 'exec.filename': `${ROOT}/link` })],
  },
  {
    name: 'through /proc/self/root',
    act: () => execve(`/proc/self/root${SHM}`, ['x']),
    result: 'EPERM',
    events: [denied('memory', { 'exec.path': SHM })],
  },
  {
    name: 'a memfd by /proc/self/fd',
    act: () => withMemfd('payload', (fd) => execve(`/proc/self/fd/${fd}`, ['[kworker]'])),
    result: 'EPERM',
    events: [
      denied('memfd', {
        'exec.path': '/memfd:payload',
        'exec.name': 'memfd:payload',
        'exec.args': '[kworker]',
      }),
    ],
  },
  {
    name: 'a memfd by execveat(AT_EMPTY_PATH)',
    act: () => withMemfd('', (fd) => execveat(fd, '', ['x', 'y'], AT_EMPTY_PATH)),
    result: 'EPERM',
    events: [denied('memfd', { 'exec.path': '/memfd:', 'exec.args': 'x y' })],
  },
  {
    name: 'a memfd whose name has slashes, compared as a whole',
    act: () => withMemfd('runtime:/proc/self/exe', (fd) => execve(`/proc/self/fd/${fd}`, ['x'])),
    result: 'EPERM',
    events: [
      {
        ...denied('memfd', { 'exec.path': '/memfd:runtime:/proc/self/exe' }),
        alsoMatched: [ruleIndex('memfdExact')],
      },
    ],
  },
  {
    name: 'execveat, relative to a directory',
    act: () => {
      const fd = openSync('/dev/shm', constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        return execveat(fd, 'pe-program', ['one', 'two'], 0);
      } finally {
        closeSync(fd);
      }
    },
    result: 'EPERM',
    events: [denied('memory', { 'exec.path': SHM, 'exec.args': 'one two' })],
  },
  {
    name: 'execveat, absolute',
    act: () => execveat(AT_FDCWD, SHM, ['three'], 0),
    result: 'EPERM',
    events: [denied('memory', { 'exec.filename': SHM, 'exec.args': 'three' })],
  },
  {
    name: 'by name',
    act: () => execve(`${ROOT}/pe-denied`, []),
    result: 'EPERM',
    events: [denied('name', { 'exec.name': 'pe-denied' })],
  },
  {
    name: 'by the name that was passed',
    act: () => run('./pe-relative', [], ROOT),
    result: 'EPERM',
    events: [denied('filename', { 'exec.filename': './pe-relative', 'exec.path': `${ROOT}/pe-relative` })],
  },
  {
    name: 'a script is judged as itself and as its interpreter',
    act: () => run(`${ROOT}/script.sh`, ['argument']),
    result: 'ok',
    events: [
      audited('seen', {
        'exec.path': `${ROOT}/script.sh`,
        'exec.filename': `${ROOT}/script.sh`,
        'exec.args': `${ROOT}/script.sh argument`,
      }),
      audited('seen', {
        'exec.path': `${ROOT}/interpreter`,
        'exec.filename': `${ROOT}/script.sh`,
        'exec.args': `${ROOT}/script.sh argument`,
      }),
    ],
  },
  {
    name: 'a script with a denied interpreter',
    act: () => execve(`${ROOT}/bad-script.sh`, ['bad-script.sh']),
    result: 'EPERM',
    events: [denied('interpreter', { 'exec.path': `${ROOT}/bad-interpreter` })],
  },
  {
    name: 'arguments that contain a text',
    act: () => execve(`${ROOT}/free`, ['free', '--steal', 'secrets', '-v']),
    result: 'EPERM',
    events: [denied('arguments', { 'exec.args': 'free --steal secrets -v' })],
  },
  {
    name: 'other arguments',
    act: () => run(`${ROOT}/free`, ['--steal', 'nothing']),
    result: 'ok',
    events: [],
  },
  {
    name: 'exactly 20 arguments are whole',
    act: () => run(`${ROOT}/true`, MANY.slice(0, 19)),
    result: 'ok',
    events: [audited('seen', { 'exec.args': [`${ROOT}/true`, ...MANY.slice(0, 19)].join(' ') })],
  },
  {
    name: 'of more than 20 arguments, the first 20',
    act: () => run(`${ROOT}/true`, MANY),
    result: 'ok',
    events: [
      audited('seen', { 'exec.args': [`${ROOT}/true`, ...MANY.slice(0, 19)].join(' ') }, ['exec.args']),
    ],
  },
  {
    name: 'of more than 512 bytes, the first',
    act: () => run(`${ROOT}/true`, [LONG_ARGUMENT, 'lost']),
    result: 'ok',
    events: [audited('seen', { 'exec.args': `${ROOT}/true ${LONG_ARGUMENT}`.slice(0, 511) }, ['exec.args'])],
  },
  {
    name: 'no arguments at all',
    act: () => String(execve(SHM, [])),
    result: 'EPERM',
    events: [denied('memory', { 'exec.args': '' })],
  },
  {
    name: 'kill kills',
    act: () => run('/usr/bin/sh', ['-c', `exec ${ROOT}/kill`]),
    result: 'SIGKILL',
    events: [
      {
        verdict: 'killed',
        rule: ruleIndex('kill'),
        fields: { 'process.exe': '/usr/bin/sh', 'exec.path': `${ROOT}/kill` },
      },
    ],
  },
  { name: 'another program is untouched', act: () => run(`${ROOT}/free`, []), result: 'ok', events: [] },
];

/** What rules on process.exec do not see; SECURITY.md says so. */
const NOT_SEEN: readonly Row[] = [
  {
    name: 'arguments past the 20th',
    act: () => run(`${ROOT}/free`, [...MANY, '--steal', 'secrets']),
    result: 'ok',
    events: [],
  },
  {
    name: 'arguments past 512 bytes',
    act: () => run(`${ROOT}/free`, [LONG_ARGUMENT, '--steal secrets']),
    result: 'ok',
    events: [],
  },
  {
    name: 'a shell that reads a script as data',
    act: () => {
      const result = run('/usr/bin/sh', [SHM]);
      return `${result}, ${existsSync(MARK) ? 'ran' : 'not run'}`;
    },
    result: 'ok, ran',
    events: [],
  },
  {
    name: 'the dynamic loader that maps a program itself',
    act: () => {
      copyFileSync('/usr/bin/true', '/dev/shm/pe-true');
      return run('/lib64/ld-linux-x86-64.so.2', ['/dev/shm/pe-true']);
    },
    result: 'ok',
    events: [],
  },
];

guestTest('on the whole machine', { needs: ['bpf-lsm'] }, async (context) => {
  prepareFiles();
  using enforcement = new Enforcement(POLICY_TEXT);
  for (const row of ROWS) {
    await context.test(row.name, () => {
      const result = row.act();
      const events = enforcement.take();
      assert.equal(result, row.result);
      assertEvents(events, POLICY, row.events);
      assert.equal(existsSync(MARK), false, 'nothing that was denied ran');
    });
  }
  for (const row of NOT_SEEN) {
    await context.test(`not seen: ${row.name}`, () => {
      assert.equal(row.act(), row.result);
      assertEvents(enforcement.take(), POLICY, row.events);
    });
  }
  const { lost, unjudged } = enforcement.session.counters();
  assert.deepEqual({ lost, unjudged }, { lost: 0, unjudged: 0 });
});
