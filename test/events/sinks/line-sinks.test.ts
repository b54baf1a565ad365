import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openJsonlSink, openStdoutSink, type Sink } from '../../../engine/events/index.js';
import { schemaErrorsOfLine } from '../event-schema.js';
import { sampleEvents } from '../sample-events.js';
import { CollectedNotices } from './collected-notices.js';

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
const events = sampleEvents(2_000);
const ids = events.map(({ id }) => id);

let folder: string;
let collected: CollectedNotices;
const sinks: Sink[] = [];
const descriptors: number[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vespid-sinks-'));
});
afterEach(async () => {
  for (const sink of sinks.splice(0)) await sink.close();
  for (const fd of descriptors.splice(0)) closeSync(fd);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function jsonl(path: string): Promise<Sink> {
  collected = new CollectedNotices();
  const sink = await openJsonlSink({ path, onNotice: collected.onNotice });
  sinks.push(sink);
  return sink;
}

function openFd(path: string, flags: number): number {
  const fd = openSync(path, flags);
  descriptors.push(fd);
  return fd;
}

function fifo(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  return path;
}

/** What is in the pipe now. */
function drain(fd: number): string {
  const chunks: Buffer[] = [];
  const chunk = Buffer.alloc(2 ** 16);
  try {
    for (let bytes = readSync(fd, chunk); bytes > 0; bytes = readSync(fd, chunk)) {
      chunks.push(Buffer.from(chunk.subarray(0, bytes)));
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
  }
  return Buffer.concat(chunks).toString();
}

const idsOf = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { id: string }).id); // each line is an event: the schema test says so

describe('jsonl sink', () => {
  it('appends one valid event a line, for the owner only', async () => {
    const path = join(folder, 'events.jsonl');
    for (const half of [events.slice(0, 1_000), events.slice(1_000)]) {
      const sink = await jsonl(path);
      sink.write(half);
      await sink.flush(5_000);
      expect(sink.stats()).toEqual({ accepted: 1_000, delivered: 1_000, retried: 0, dropped: 0, pending: 0 });
      await sink.close();
    }
    const text = readFileSync(path, 'utf8');
    expect(idsOf(text)).toEqual(ids);
    expect(text.split('\n').slice(0, 3).flatMap(schemaErrorsOfLine)).toEqual([]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(collected.notices).toEqual([]);
  });

  it('starts a new line after one that was cut', async () => {
    const path = join(folder, 'cut.jsonl');
    writeFileSync(path, '{"id":"whole"}\n{"id":"cu');
    const sink = await jsonl(path);
    sink.write(events.slice(0, 1));
    await sink.flush(5_000);
    const lines = readFileSync(path, 'utf8').split('\n');
    expect(lines[1]).toBe('{"id":"cu');
    expect(schemaErrorsOfLine(lines[2] ?? '')).toEqual([]);
  });

  it.each([
    ['a directory that does not exist', () => join(folder, 'none/events.jsonl'), 'ENOENT'],
    ['a directory', () => folder, 'EISDIR'],
    ['a pipe without a reader', () => fifo('unread'), 'ENXIO'],
    ['a file in place of a directory', () => '/dev/null/events.jsonl', 'ENOTDIR'],
  ])('refuses %s', async (_, path, reason) => {
    await expect(jsonl(path())).rejects.toMatchObject({
      code: 'SINK_FILE_UNWRITABLE',
      message: expect.stringContaining(reason),
    });
  });

  it('keeps trying on a full disk, says so once, and counts what it could not write', async () => {
    const sink = await jsonl('/dev/full');
    sink.write(events);
    await vi.waitFor(() => expect(sink.stats().retried).toBeGreaterThan(1), 5_000);
    expect(sink.stats()).toMatchObject({ accepted: 2_000, delivered: 0, dropped: 0, pending: 2_000 });
    await sink.close();
    expect(sink.stats()).toMatchObject({ dropped: 2_000, pending: 0 });
    expect(collected.codes).toEqual(['SINK_FILE_UNWRITABLE', 'SINK_UNDELIVERED']);
    expect(collected.notices[0]?.message).toContain('ENOSPC');
  });

  it('waits for a slow reader without a retry and without a torn line', async () => {
    const path = fifo('slow');
    const reader = openFd(path, O_RDONLY | O_NONBLOCK);
    const sink = await jsonl(path);
    sink.write(events);
    let text = '';
    const done = sink.flush(10_000);
    while (sink.stats().pending > 0) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      text += drain(reader);
    }
    await done;
    expect(idsOf(text + drain(reader))).toEqual(ids);
    expect(sink.stats()).toMatchObject({ delivered: 2_000, retried: 0, dropped: 0 });
  });

  it('goes on where it stopped when a pipe gets a new reader', async () => {
    const path = fifo('changing');
    const first = openSync(path, O_RDONLY | O_NONBLOCK);
    const sink = await jsonl(path);
    sink.write(events.slice(0, 5));
    await sink.flush(5_000);
    const before = drain(first);
    closeSync(first);
    sink.write(events.slice(5, 10));
    await vi.waitFor(() => expect(collected.notices).toHaveLength(1), 5_000);
    expect(collected.notices[0]?.message).toContain('EPIPE');
    const second = openFd(path, O_RDONLY | O_NONBLOCK);
    await sink.flush(5_000);
    expect(idsOf(before + drain(second))).toEqual(ids.slice(0, 10));
  });
});

describe('stdout sink', () => {
  function stdout(fd: number): Sink {
    collected = new CollectedNotices();
    const sink = openStdoutSink({ fd, onNotice: collected.onNotice });
    sinks.push(sink);
    return sink;
  }

  it('neither waits for a stalled reader nor makes others wait', async () => {
    const path = fifo('stalled');
    const reader = openFd(path, O_RDONLY | O_NONBLOCK);
    const sink = stdout(openFd(path, O_WRONLY));
    sink.write(events);
    await sink.flush(50);
    expect(sink.stats().pending).toBeGreaterThan(0);
    let text = drain(reader);
    const done = sink.flush(10_000);
    while (sink.stats().pending > 0) {
      await new Promise((resolve) => setTimeout(resolve, 2));
      text += drain(reader);
    }
    await done;
    expect(idsOf(text + drain(reader))).toEqual(ids);
  });

  it('counts and reports once that its reader has gone', async () => {
    const path = fifo('gone');
    const reader = openSync(path, O_RDONLY | O_NONBLOCK);
    const sink = stdout(openFd(path, O_WRONLY));
    closeSync(reader);
    sink.write(events);
    await sink.flush(5_000);
    sink.write(events);
    expect(sink.stats()).toMatchObject({ delivered: 0, dropped: 4_000, pending: 0 });
    expect(collected.codes).toEqual(['SINK_STDOUT_FAILED']);
  });

  it('appends to a file that it was redirected to', async () => {
    const path = join(folder, 'redirected');
    const fd = openFd(path, constants.O_WRONLY | constants.O_CREAT);
    const sink = stdout(fd);
    sink.write(events.slice(0, 3));
    await sink.flush(5_000);
    expect(idsOf(readFileSync(path, 'utf8'))).toEqual(ids.slice(0, 3));
  });
});
