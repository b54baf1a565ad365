import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Enforcement, fieldOf, policyText } from './enforcement.js';
import { guestTest } from './guest-test.js';

const PROCESSES = 4;
const ROUNDS = 30;
const DENIED = '/tmp/concurrency-denied';
const ALLOWED = '/tmp/concurrency-allowed';

/** Opens both files in turn without a process for each, and says how often which open failed. */
const SCRIPT = `
i=0 refused=0 wronged=0
while [ $i -lt ${ROUNDS} ]; do
  true <${DENIED} || refused=$((refused + 1))
  true <${ALLOWED} || wronged=$((wronged + 1))
  i=$((i + 1))
done
echo "$refused $wronged"
`;

interface Outcome {
  readonly pid: number | undefined;
  readonly counts: string;
  readonly complaints: ReadonlySet<string>;
}

async function runShell(): Promise<Outcome> {
  const shell = spawn('/usr/bin/sh', ['-c', SCRIPT], { stdio: ['ignore', 'pipe', 'pipe'] });
  const [counts, complaints] = await Promise.all([text(shell.stdout), text(shell.stderr)]);
  const reasons = complaints
    .trim()
    .split('\n')
    .map((line) => line.slice(line.lastIndexOf(': ') + 2));
  return { pid: shell.pid, counts: counts.trim(), complaints: new Set(reasons) };
}

guestTest(
  'many processes at once: each is judged, each refusal is an event',
  { needs: ['bpf-lsm'] },
  async () => {
    for (const path of [DENIED, ALLOWED]) writeFileSync(path, 'content');
    using enforcement = new Enforcement(
      policyText('concurrency', { severity: 'low', attack: [] }, [
        { hook: 'file.open', when: `file.path.startsWith("${DENIED}")`, effect: 'deny' },
      ]),
      { poll: true },
    );
    const outcomes = await Promise.all(Array.from({ length: PROCESSES }, runShell));
    for (const { counts, complaints } of outcomes) {
      assert.equal(counts, `${ROUNDS} 0`);
      assert.deepEqual(complaints, new Set(['Operation not permitted']));
    }
    const events = enforcement.take();
    const { lost, unjudged, matched } = enforcement.session.counters();
    assert.equal(unjudged, 0, 'every open was judged');
    assert.equal(matched, PROCESSES * ROUNDS);
    assert.equal(events.length + lost, PROCESSES * ROUNDS, 'an event for each refusal, or it is counted');
    assert.equal(lost, 0, 'the ring is large enough here');
    assert.equal(new Set(events.map((event) => event.id)).size, events.length, 'no event twice');
    for (const { pid } of outcomes) {
      assert.equal(events.filter((event) => fieldOf(event, 'process.pid') === pid).length, ROUNDS);
    }
  },
);

guestTest('a full ring loses records, and counts them', { needs: ['bpf-lsm'] }, () => {
  writeFileSync(DENIED, 'content');
  using enforcement = new Enforcement(
    policyText('full', { severity: 'low', attack: [] }, [
      { hook: 'file.open', when: `file.path == "${DENIED}"`, effect: 'deny' },
    ]),
    { ringBytes: 4096 },
  );
  const attempts = 100;
  for (let attempt = 0; attempt < attempts; attempt++) {
    assert.throws(() => writeFileSync(DENIED, ''), { code: 'EPERM' });
  }
  const events = enforcement.take().length;
  const { lost } = enforcement.session.counters();
  assert.ok(events > 0 && lost > 0, `${events} events, ${lost} lost`);
  assert.equal(events + lost, attempts);
});

/** More threads than one CPU has working memory for, each preempted inside the program again and again. */
const CROWD = 8;
const DEPTH = 1500;
const PREEMPTION = '/sys/kernel/debug/sched/preempt';

guestTest(
  'a crowd that is preempted inside the program harms nobody else',
  { needs: ['bpf-lsm'], only: '6.1' },
  async () => {
    // Modes are listed as `none (voluntary) full`.
    const mode = /\((\w+)\)/.exec(readFileSync(PREEMPTION, 'utf8'))?.[1];
    assert.ok(mode !== undefined);
    const deep = makeDeepDirectory();
    using enforcement = new Enforcement(
      policyText('crowd', { severity: 'low', attack: [] }, [
        { hook: 'file.open', when: 'file.path.endsWith("/d/guarded")', effect: 'deny' },
        { hook: 'file.open', when: 'file.path.startsWith("/nowhere/")', effect: 'deny' },
      ]),
      { poll: true },
    );
    writeFileSync(PREEMPTION, 'full');
    const pinned = (script: string) =>
      spawn('/usr/bin/busybox', ['taskset', '1', '/usr/bin/sh', '-c', script, deep], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    const crowd = Array.from({ length: CROWD }, () =>
      pinned('cd "$0"; while :; do true <open || break; done'),
    );
    try {
      const victim = pinned(
        'i=0 wronged=0; while [ $i -lt 15 ]; do true </etc/passwd || wronged=$((wronged + 1)); i=$((i + 1)); done; echo $wronged',
      );
      assert.equal((await text(victim.stdout)).trim(), '0');
      const offender = pinned(
        'cd "$0"; i=0 refused=0; while [ $i -lt 6 ]; do true <guarded || refused=$((refused + 1)); i=$((i + 1)); done; echo $refused',
      );
      assert.equal((await text(offender.stdout)).trim(), '6');
    } finally {
      for (const process of crowd) process.kill('SIGKILL');
      writeFileSync(PREEMPTION, mode);
    }
    assert.equal(enforcement.session.counters().unjudged, 0);
  },
);

function makeDeepDirectory(): string {
  const here = process.cwd();
  const top = mkdtempSync('/tmp/deep-');
  process.chdir(top);
  for (let depth = 0; depth < DEPTH; depth++) {
    mkdirSync('d');
    process.chdir('d');
  }
  for (const name of ['open', 'guarded']) writeFileSync(name, 'content');
  process.chdir(here);
  return `${top}/${'d/'.repeat(DEPTH)}`;
}
