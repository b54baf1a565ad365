import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { StateFile } from '../../engine/trust/state-file.js';

/** The compiled product: what is killed here is a process of its own. */
const DIST = resolve(import.meta.dirname, '../../dist');

/** Writes versions 1.0.0, 1.0.1, … of one bundle, and says each on standard output when it is on the disk. */
const WRITER = `
import { StateFile } from '${DIST}/engine/trust/state-file.js';
import { rememberBundle } from '${DIST}/signing/index.js';
const [path, name, count] = process.argv.slice(1);
const state = new StateFile(path);
for (let patch = 0; patch < Number(count); patch++) {
  const bundle = { name, version: '1.0.' + patch, digest: 'sha256:' + 'a'.repeat(64) };
  state.update((memory) => rememberBundle(memory, bundle));
  process.stdout.write(patch + '\\n');
}`;

let directory: string;
let path: string;
const writers: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vespid-writers-'));
  path = join(directory, 'state.json');
});

afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

/** Starts a writer; gives the last patch version that it said. */
function startWriter(name: string, count: number): { child: ChildProcess; last: () => number } {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '--eval', WRITER, '--', path, name, `${count}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  writers.push(child);
  let said = '';
  child.stdout?.on('data', (chunk) => {
    said += chunk;
  });
  return { child, last: () => Number(said.trimEnd().split('\n').at(-1) || '-1') };
}

const patchOf = (name: string): number =>
  Number(new StateFile(path).read().bundles.get(name)?.version.split('.')[2] ?? '-1');

test('agents that write at once lose nothing of each other', async () => {
  const names = ['a', 'b', 'c'];
  const children = names.map((name) => startWriter(name, 30).child);
  const exits = await Promise.all(children.map((child) => once(child, 'exit')));
  expect(exits.map(([code]) => code)).toEqual([0, 0, 0]);
  expect(names.map(patchOf)).toEqual([29, 29, 29]);
}, 60_000);

test('a writer that is killed at any moment leaves a whole state with all it said, and locks nobody out', async () => {
  for (let round = 0; round < 8; round++) {
    const name = `round-${round}`;
    const { child, last } = startWriter(name, 1_000_000);
    while (last() < 0) await delay(5);
    await delay(1 + round * 7);
    child.kill('SIGKILL');
    await once(child, 'close');
    const said = last();
    const remembered = patchOf(name);
    // The one after it may be on the disk, too: killed between the write and the word.
    expect([said, said + 1]).toContain(remembered);
    const bundle = { version: '2.0.0', digest: `sha256:${'b'.repeat(64)}` };
    new StateFile(path).update((memory) => ({ bundles: new Map(memory.bundles).set(name, bundle) }));
    expect(readdirSync(directory).sort()).toEqual(['state.json', 'state.json.lock']);
  }
}, 60_000);
