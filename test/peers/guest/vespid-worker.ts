/** The process that loads with Vespid: takes a path, answers with the outcome, waits for the next. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseSectionName, readObject } from '../../../engine/bytecode/index.js';
import { VespidError } from '../../../engine/errors/index.js';
import { loadObject, NO_GATE } from '../../../engine/loader/index.js';
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

/** Loads what libbpf loads: every program whose section has no `?`. */
function loadTags(path: string): Record<string, string> {
  const object = readObject(new Uint8Array(readFileSync(path)), basename(path));
  const programs = object.programs.filter(({ section }) => parseSectionName(section).isLoadedByDefault);
  using loaded = loadObject(object, programs, {
    constants: {},
    sharedMaps: new Map(),
    admission: NO_GATE,
    needsEveryField: false,
  });
  return Object.fromEntries(loaded.programs.map(({ name, program }) => [name, program.info().tag]));
}

function describe(error: unknown): string {
  if (error instanceof VespidError) return `${error.code}: ${error.message}`;
  // A defect of ours: the stack says where.
  return error instanceof Error ? `${error.stack}` : String(error);
}

process.on('message', (path) => process.send?.(load(String(path))));
process.send?.('ready');
