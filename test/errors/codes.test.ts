import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../engine/errors/index.js';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCE_FOLDERS = ['engine', 'lsm-hooks', 'policies', 'rules-mitre', 'signing'];
const TABLE = join('engine', 'errors', 'codes.ts');
const CODES = Object.entries(ERROR_CODES);

/** The product's source without the table itself. */
const source = SOURCE_FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
)
  .filter((path) => path.endsWith('.ts') && path !== TABLE)
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n');

const quotedNames = new Set([...source.matchAll(/'([A-Z][A-Z0-9_]+)'/g)].map(([, name]) => name));

describe('the table of error codes', () => {
  it.each(CODES)('%s is used in the source', (code) => {
    expect(quotedNames.has(code)).toBe(true);
  });

  it.each(CODES)('%s has a form, a summary and an exit code', (code, entry) => {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    expect(entry.summary).toMatch(/^\S.*[^\s.]$/);
    expect([1, 2, 3, 4]).toContain(entry.exit);
  });

  it('has no summary twice', () => {
    const summaries = CODES.map(([, { summary }]) => summary);
    expect(summaries.filter((summary, index) => summaries.indexOf(summary) !== index)).toEqual([]);
  });

  it('has every code that the source gives to an error', () => {
    const thrown = [...source.matchAll(/new VespidError\(\s*'([^']*)'/g)].map(([, code]) => code);
    expect(thrown.filter((code) => code !== undefined && !(code in ERROR_CODES))).toEqual([]);
  });
});
