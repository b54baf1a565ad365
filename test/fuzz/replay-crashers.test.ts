import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { fuzzTargetNamed } from './fuzz-targets.js';
import { runCase } from './run-case.js';

/** Inputs that were faults once, named TARGET.what-it-is.bin. */
const FOLDER = fileURLToPath(new URL('../fixtures/fuzz/', import.meta.url));
const NAMES = readdirSync(FOLDER).filter((name) => name.endsWith('.bin'));

test.each(NAMES)('an input that was a fault once is read or refused: %s', async (name) => {
  const input = new Uint8Array(readFileSync(`${FOLDER}${name}`));
  expect(await runCase(fuzzTargetNamed(name.split('.')[0] ?? ''), input)).toBeUndefined();
});
