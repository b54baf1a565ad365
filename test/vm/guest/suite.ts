/**
 * The one process that runs every requested guest test file: under emulation, loading the project costs seconds,
 * so it is paid once. A file is a suite of its own; the tests run one after the other, in the order of the files.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { GUEST_REQUEST_PATH, type GuestRequest } from '../protocol.js';
import { declareTests } from './guest-test.js';

const TEST_FILE = /\.guest\.js$/;

// The host writes this file from the same type.
const request = JSON.parse(readFileSync(GUEST_REQUEST_PATH, 'utf8')) as GuestRequest;
const names = readdirSync(import.meta.dirname)
  .filter((name) => TEST_FILE.test(name))
  .filter((name) => request.tests.length === 0 || request.tests.some((part) => name.includes(part)))
  .sort();
if (names.length === 0) throw new Error(`no guest test file has ${request.tests.join(' or ')} in its name`);

// All files first: a test must not run while modules are still being read.
const suites: (() => void)[] = [];
for (const name of names) suites.push(await suiteOf(name));
for (const declare of suites) declare();

async function suiteOf(name: string): Promise<() => void> {
  let fault: unknown;
  try {
    await import(join(import.meta.dirname, name));
  } catch (error) {
    fault = error;
  }
  const declared = declareTests();
  if (fault === undefined && declared.length === 0) fault = new Error('the file declares no test');
  return () =>
    void describe(name, () => {
      for (const declare of declared) declare();
      if (fault === undefined) return;
      void test('(the file itself)', () => {
        throw fault;
      });
    });
}
