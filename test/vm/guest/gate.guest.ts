import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import {
  type AssembledFunction,
  Assembler,
  PROGRAM_TYPE,
  R0,
  readObject,
  writeObject,
} from '../../../engine/bytecode/index.js';
import { compilePolicies } from '../../../engine/compiler/index.js';
import type { VespidEvent } from '../../../engine/events/index.js';
import { bootTimeNs } from '../../../engine/kernel/index.js';
import { planObject } from '../../../engine/loader/index.js';
import { encodeTicket, TICKETS_MAP } from '../../../lsm-hooks/index.js';
import { parsePolicies } from '../../../policies/language/index.js';
import { digestOf, factsOf, loadOnce, mapIdNamed, openMap, type RawLoad, updateMap } from './bpf-calls.js';
import { Enforcement, guestFeatures, policyText } from './enforcement.js';
import { guestTest } from './guest-test.js';

const NEEDS = { needs: ['program-load-hook'] } as const;
const OBJECT = '/tmp/unsigned.bpf.o';
const PIN = '/sys/fs/bpf/unsigned';
const ATTACK = [
  {
    id: 'T1014',
    name: 'Rootkit',
    tactics: ['stealth'],
    url: 'https://attack.mitre.org/techniques/T1014/',
  },
];

/** Returns a number that no probe of libbpf returns. */
function harmless(result = 4711): AssembledFunction {
  return new Assembler('unsigned').moveImmediate(R0, result).exit().finish();
}

/** A socket filter that no bundle holds. */
const UNSIGNED: RawLoad = { type: PROGRAM_TYPE['socket-filter'], instructions: harmless().instructions };

function writeUnsignedObject(): void {
  const bytes = writeObject({
    license: 'GPL',
    programs: [{ section: 'socket', function: harmless() }],
    subprograms: [],
    maps: [],
    constants: [],
    kernelTypes: [],
    metadata: new Uint8Array(0),
  });
  assert.deepEqual(readObject(bytes, OBJECT).programs.length, 1);
  writeFileSync(OBJECT, bytes);
}

interface ToolResult {
  readonly pid: number;
  readonly status: number | null;
  readonly output: string;
}

function bpftool(...args: readonly string[]): ToolResult {
  const { pid, status, stdout, stderr } = spawnSync('bpftool', args, { encoding: 'utf8' });
  return { pid, status, output: stdout + stderr };
}

const ofDigest = (events: readonly VespidEvent[], load: RawLoad): VespidEvent[] =>
  events.filter((event) => event.program?.digest === digestOf(load).toString('hex'));

/** Bytes that look like anything but a program: the gate hashes before anyone looks at them. */
function noise(instructionCount: number): Uint8Array {
  return Uint8Array.from(
    { length: instructionCount * 8 },
    (_, index) => (index * 167 + (index >> 8) * 31 + 7) & 0xff,
  );
}

guestTest('enforce', NEEDS, async (context) => {
  writeUnsignedObject();
  rmSync(PIN, { force: true });
  {
    using enforcement = new Enforcement(undefined, { gate: 'enforce' });
    for (const [name, body] of Object.entries(ENFORCED)) {
      await context.test(name, async (row) => {
        enforcement.take();
        await body(enforcement, row);
      });
    }
    assert.equal(enforcement.session.counters().unjudged, 0);
  }
  await context.test('the same object passes when the gate is gone', () => {
    const { status, output } = bpftool('prog', 'load', OBJECT, PIN);
    assert.equal(status, 0, output);
    rmSync(PIN);
    assert.equal(loadOnce(UNSIGNED).result, 'ok');
  });
});

const ENFORCED: Readonly<
  Record<string, (enforcement: Enforcement, context: TestContext) => void | Promise<void>>
> = {
  'one refused load is one event': (enforcement) => {
    assert.deepEqual(loadOnce(UNSIGNED), { result: 'EPERM', log: '' });
    const [event, ...others] = enforcement.take();
    assert.ok(event !== undefined);
    assert.equal(others.length, 0);
    assert.deepEqual(
      [event.hook, event.verdict, event.severity, event.policy.name, event.attack],
      ['program.load', 'denied', 'critical', 'vespid-gate', ATTACK],
    );
    assert.deepEqual(event.program, {
      type: PROGRAM_TYPE['socket-filter'],
      attach_type: 0,
      instruction_count: 2,
      digest: digestOf(UNSIGNED).toString('hex'),
      name: 'loaded_once',
    });
    assert.equal(event.process.pid, process.pid);
    assert.equal(event.process.exe, '/usr/bin/node');
    assert.equal(event.incomplete, undefined);
  },
  'bpftool cannot load an unsigned object': (enforcement) => {
    const { pid, status, output } = bpftool('prog', 'load', OBJECT, PIN);
    assert.notEqual(status, 0);
    assert.match(output, /Operation not permitted/);
    assert.equal(existsSync(PIN), false);
    // libbpf stops when the first programs that it tries the kernel with are refused.
    const events = enforcement.take();
    assert.ok(events.length >= 1);
    for (const { verdict, process: loader, attack } of events) {
      assert.deepEqual([verdict, loader.pid, loader.exe], ['denied', pid, '/usr/sbin/bpftool']);
      assert.deepEqual(attack, ATTACK);
    }
  },
  'our own loads pass': (enforcement) => {
    const text = policyText('own', { severity: 'low', attack: [] }, [
      { hook: 'file.open', when: 'file.path == "/tmp/own"', effect: 'deny' },
      { hook: 'net.connect', when: 'net.port == 1', effect: 'deny' },
    ]);
    for (const file of compilePolicies(parsePolicies(text, 'own.yaml'))) {
      enforcement.load(planObject(file, guestFeatures(), { degrade: false }));
    }
    assert.equal(enforcement.session.objects.length, 2);
    assert.deepEqual(enforcement.take(), []);
  },
  'a ticket is for one load': (enforcement) => {
    enforcement.session.gate?.admit(factsOf(UNSIGNED), UNSIGNED.instructions);
    assert.equal(loadOnce(UNSIGNED).result, 'ok');
    assert.equal(loadOnce(UNSIGNED).result, 'EPERM');
    assert.equal(enforcement.take().length, 1);
  },
  'a ticket for another process is refused': (enforcement) => {
    placeTicket(UNSIGNED, process.pid + 1, bootTimeNs() + 5_000_000_000n);
    assert.equal(loadOnce(UNSIGNED).result, 'EPERM');
    placeTicket(UNSIGNED, process.pid, bootTimeNs() + 5_000_000_000n);
    assert.equal(loadOnce(UNSIGNED).result, 'ok', 'and the same one for this process is not');
    assert.equal(enforcement.take().length, 1);
  },
  'an expired ticket is refused': () => {
    placeTicket(UNSIGNED, process.pid, bootTimeNs() - 1n);
    assert.equal(loadOnce(UNSIGNED).result, 'EPERM');
  },
  'a ticket is for these very facts': (enforcement) => {
    const { instructions } = harmless(1);
    const admitted: RawLoad = { type: PROGRAM_TYPE['cgroup-skb'], attachType: 0, instructions };
    const others: readonly RawLoad[] = [
      { ...admitted, type: PROGRAM_TYPE['socket-filter'] },
      { ...admitted, attachType: 1 },
      { ...admitted, license: 'Proprietary' },
      { ...admitted, instructions: harmless(0).instructions },
    ];
    enforcement.session.gate?.admit(factsOf(admitted), instructions);
    for (const load of others) assert.equal(loadOnce(load).result, 'EPERM');
    assert.equal(loadOnce(admitted).result, 'ok');
    assert.deepEqual(
      enforcement.take().map((event) => event.program?.digest),
      others.map((load) => digestOf(load).toString('hex')),
    );
  },
  'the verifier is not asked': () => {
    const load = { ...UNSIGNED, instructions: noise(5) };
    assert.deepEqual(loadOnce(load), { result: 'EPERM', log: '' });
  },
  'the digest is that of Node for every padding': (enforcement) => {
    const range = (from: number, to: number) =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const loads = [...range(1, 20), ...range(55, 73), 3001, 4096].map((count) => ({
      ...UNSIGNED,
      instructions: noise(count),
    }));
    for (const load of loads) assert.equal(loadOnce(load).result, 'EPERM');
    assert.deepEqual(
      enforcement.take().map((event) => [event.program?.instruction_count, event.program?.digest]),
      loads.map((load) => [load.instructions.byteLength / 8, digestOf(load).toString('hex')]),
    );
  },
  'nobody else opens our maps': (enforcement) => {
    for (const name of ['tickets', 'guarded', 'events', 'scratch', 'counters']) {
      const id = String(mapIdNamed(name));
      const { status, output } = bpftool('map', 'dump', 'id', id);
      assert.notEqual(status, 0, name);
      assert.match(output, /Operation not permitted/, name);
    }
    const id = String(mapIdNamed('tickets'));
    const key = [...digestOf(UNSIGNED)].map(String);
    const value = [...encodeTicket({ loaderPid: process.pid, expiresNs: 1n << 62n })].map(String);
    const { status, output } = bpftool('map', 'update', 'id', id, 'key', ...key, 'value', ...value);
    assert.notEqual(status, 0);
    assert.match(output, /Operation not permitted/);
    assert.equal(loadOnce(UNSIGNED).result, 'EPERM');
    assert.equal(ofDigest(enforcement.take(), UNSIGNED).length, 1);
  },
  "other processes' maps are theirs": () => {
    mkdirSync('/sys/fs/bpf/gate-test', { recursive: true });
    const pin = '/sys/fs/bpf/gate-test/map';
    const made = bpftool(...`map create ${pin} type hash key 4 value 4 entries 1 name mine`.split(' '));
    assert.equal(made.status, 0, made.output);
    assert.equal(bpftool('map', 'dump', 'pinned', pin).status, 0);
    rmSync(pin);
  },
  'links of the gate do not come off by id': () => {
    const links = JSON.parse(bpftool('link', 'show', '--json').output) as { id: number; type: string }[];
    assert.ok(links.length >= 2, JSON.stringify(links));
    for (const { id } of links) {
      assert.notEqual(bpftool('link', 'detach', 'id', String(id)).status, 0);
    }
    assert.equal(loadOnce(UNSIGNED).result, 'EPERM');
  },
};

function placeTicket(load: RawLoad, loaderPid: number, expiresNs: bigint): void {
  using tickets = openMap(mapIdNamed(TICKETS_MAP.name));
  updateMap(tickets, digestOf(load), encodeTicket({ loaderPid, expiresNs }));
}

guestTest('audit reports and lets through', NEEDS, () => {
  writeUnsignedObject();
  using enforcement = new Enforcement(undefined, { gate: 'audit' });
  const { pid, status, output } = bpftool('prog', 'load', OBJECT, PIN);
  assert.equal(status, 0, output);
  rmSync(PIN);
  const events = enforcement.take();
  assert.ok(events.every((event) => event.verdict === 'audited'));
  const own = ofDigest(events, UNSIGNED).filter((event) => event.program?.name === 'unsigned');
  assert.deepEqual(
    own.map((event) => event.process.pid),
    [pid],
  );
  const invalid = loadOnce({ ...UNSIGNED, instructions: noise(5) });
  assert.notEqual(invalid.result, 'ok');
  assert.notEqual(invalid.log, '', 'here the verifier is asked');
});
