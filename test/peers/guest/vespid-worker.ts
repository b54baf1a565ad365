/** The process that loads with Vespid: takes a path, answers with the outcome, waits for the next. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { loadObject } from '../../../engine/bpf/index.js';
import { readObject } from '../../../engine/bytecode/index.js';
import { VespidError } from '../../../engine/errors/index.js';
import type { LoadOutcome } from '../outcome.js';

function load(path: string): LoadOutcome {
  const startedAtMs = Date.now();
  try {
    const tags = loadTags(path);
    return { kind: 'loaded', tags, durationMs: Date.now() - startedAtMs };
  } catch (error) {
    return { kind: 'refused', reason: describe(error), durationMs: Date.now() - startedAtMs };
  }
}

function loadTags(path: string): Record<string, string> {
  using loaded = loadObject(readObject(new Uint8Array(readFileSync(path)), basename(path)));
  return Object.fromEntries(loaded.programs.map(({ name, program }) => [name, program.info().tag]));
}

function describe(error: unknown): string {
  if (error instanceof VespidError) return `${error.code}: ${error.message}`;
  // A defect of ours: the stack says where.
  return error instanceof Error ? `${error.stack}` : String(error);
}

process.on('message', (path) => process.send?.(load(String(path))));
process.send?.('ready');
