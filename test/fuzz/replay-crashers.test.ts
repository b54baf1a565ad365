import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fuzzTargetNamed } from './fuzz-targets.js';
import { runCase } from './run-case.js';

/** Inputs that were faults once: TARGET.what-it-was.bin */
const FOLDER = fileURLToPath(new URL('../fixtures/fuzz/', import.meta.url));

describe('inputs that were faults once are read or refused', () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith('.bin'));

  test.each(names)('%s', (name) => {
    const input = new Uint8Array(readFileSync(`${FOLDER}${name}`));
    expect(runCase(fuzzTargetNamed(name.split('.')[0] ?? ''), input)).toBeUndefined();
  });
});
