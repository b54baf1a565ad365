import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { text } from 'node:stream/consumers';
import { RingBuffer } from '../../../engine/kernel/index.js';
import { compileBpf } from '../../bytecode/external-tools.js';
import { LoadedFixture } from '../../links/loaded-fixture.js';
import { needBuildTools } from '../load-object/build-tools.js';
import { median } from '../median.js';
import { packageRoot } from '../package-root.js';
import { runProcess } from '../run-process.js';

const RING_BYTES = 1 << 24;
/** A record of 64 bytes with its header. */
const RECORD_BYTES = 72;
const FULL_RING = Math.floor(RING_BYTES / RECORD_BYTES);
/** Each side in turn; in each turn the ring is filled and drained so many times. */
const TURNS = 5;
const ROUNDS = 12;
/** While the ring is written by another process: bursts of so many records, with so many microseconds after each. */
const LIVE = { bursts: 500, records: 2000, pauseUs: 1000 };
const NO_WAKEUP = 1;

/** What a record costs the reader, and what is lost while another process writes: Vespid's reader and libbpf's in C. */
export async function ringBufferVsLibbpf(): Promise<Record<string, unknown>> {
  needBuildTools();
  const folder = mkdtempSync(join(tmpdir(), 'vespid-bench-'));
  try {
    const sources = join(packageRoot(), 'test/bench/ring-buffer');
    const object = join(folder, 'fill.bpf.o');
    compileBpf(join(sources, 'fill.bpf.c'), object);
    const libbpf = join(folder, 'libbpf-ring');
    runProcess('gcc', ['-O2', join(sources, 'libbpf-ring.c'), '-o', libbpf, '-lbpf']);
    using fixture = new LoadedFixture(new Uint8Array(readFileSync(object)), ['fill']);
    const drained = compareDrain(fixture, libbpf);
    const live = { libbpf: await followByLibbpf(fixture, libbpf), vespid: await follow(fixture, libbpf) };
    return { ...drained, live: { ...live, ...LIVE } };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function compareDrain(fixture: LoadedFixture, libbpf: string) {
  const nanoseconds: { vespid: number[]; libbpf: number[] } = { vespid: [], libbpf: [] };
  for (let turn = 0; turn < TURNS; turn++) {
    nanoseconds.libbpf.push(...drainByLibbpf(fixture, libbpf));
    nanoseconds.vespid.push(...drain(fixture));
  }
  const perRecord = { vespid: median(nanoseconds.vespid), libbpf: median(nanoseconds.libbpf) };
  return {
    'rate of vespid by rate of libbpf': Math.round((perRecord.libbpf / perRecord.vespid) * 100) / 100,
    nanosecondsPerRecord: perRecord,
    recordBytes: 64,
    ringBytes: RING_BYTES,
  };
}

/** Fills the ring; gives how many records found no room. */
function fill(fixture: LoadedFixture, count: number): number {
  const context = new Uint8Array(new Uint32Array([count, NO_WAKEUP, 0, 0]).buffer);
  const { contextOut } = fixture.program('fill').testRun({ context });
  return Number(new DataView(contextOut.buffer, contextOut.byteOffset).getBigUint64(8, true));
}

/** Nanoseconds per record, of each round. */
function drain(fixture: LoadedFixture): number[] {
  let sum = 0;
  const onRecord = (memory: Uint8Array, byteOffset: number) => {
    sum = (sum + (memory[byteOffset] ?? 0)) | 0;
  };
  using ring = new RingBuffer(fixture.map('ring'), onRecord, { poll: false });
  return Array.from({ length: ROUNDS }, () => {
    expectAll(fill(fixture, FULL_RING), 0);
    const start = performance.now();
    const count = ring.drain();
    const elapsedNs = (performance.now() - start) * 1e6;
    expectAll(count, FULL_RING);
    return elapsedNs / count;
  });
}

function drainByLibbpf(fixture: LoadedFixture, libbpf: string): number[] {
  const { stdout, stderr, status } = spawnSync(libbpf, ['drain', String(ROUNDS), String(FULL_RING)], {
    stdio: ['ignore', 'pipe', 'pipe', fixture.program('fill').fd, fixture.map('ring').fd],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`libbpf-ring drain: ${stderr}`);
  // The program is ours and prints this form.
  const report = JSON.parse(stdout) as { seconds: number[]; records: number; failed: number };
  expectAll(report.records, ROUNDS * FULL_RING);
  return report.seconds.map((seconds) => (seconds * 1e9) / FULL_RING);
}

function expectAll(actual: number, expected: number): void {
  if (actual !== expected) throw new Error(`expected ${expected} records, got ${actual}`);
}

interface LiveReport {
  readonly written: number;
  /** Found no room: the reader was too slow. */
  readonly failed: number;
  readonly read: number;
}

function start(fixture: LoadedFixture, libbpf: string, args: readonly string[]): ChildProcess {
  return spawn(libbpf, args, {
    stdio: ['pipe', 'pipe', 'inherit', fixture.program('fill').fd, fixture.map('ring').fd],
  });
}

async function outcome(child: ChildProcess): Promise<Record<string, number>> {
  if (child.stdout === null) throw new Error('libbpf-ring has no output');
  const [output] = await Promise.all([text(child.stdout), once(child, 'close')]);
  // The program is ours and prints this form.
  return JSON.parse(output) as Record<string, number>;
}

const PRODUCE = ['produce', String(LIVE.bursts), String(LIVE.records), String(LIVE.pauseUs)];

async function followByLibbpf(fixture: LoadedFixture, libbpf: string): Promise<LiveReport> {
  const reader = start(fixture, libbpf, ['follow']);
  const { written = 0, failed = 0 } = await outcome(start(fixture, libbpf, PRODUCE));
  reader.stdin?.end();
  const { records = 0 } = await outcome(reader);
  return { written, failed, read: records };
}

/** On the event loop, as an application reads. */
async function follow(fixture: LoadedFixture, libbpf: string): Promise<LiveReport> {
  let read = 0;
  using ring = new RingBuffer(fixture.map('ring'), () => {
    read++;
  });
  const { written = 0, failed = 0 } = await outcome(start(fixture, libbpf, PRODUCE));
  ring.drain();
  return { written, failed, read };
}
