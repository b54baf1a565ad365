import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '../..');
const SOURCE_FOLDERS = ['engine', 'policies', 'signing'];
const text = (path: string) => readFileSync(join(ROOT, path), 'utf8');
// What npm reads of it.
const MANIFEST = JSON.parse(text('package.json')) as {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
};

const schemas = SOURCE_FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
).filter((path) => path.endsWith('.schema.json'));

const covers = (listed: string, path: string) => path === listed || path.startsWith(`${listed}/`);

describe('what is shipped', () => {
  it('has some schemas', () => {
    expect(schemas.length).toBeGreaterThan(4);
  });

  it.each(schemas)('%s can be imported from the package, and is in it', (path) => {
    expect(Object.values(MANIFEST.exports)).toContain(`./${path}`);
    expect(MANIFEST.files.some((listed) => covers(listed, path))).toBe(true);
  });

  it.each(schemas)('%s is in the image', (path) => {
    const copied = text('Dockerfile').matchAll(/\/build\/(\S+)/g);
    expect([...copied].some(([, listed = '']) => covers(listed, path))).toBe(true);
  });

  it.each(MANIFEST.files.filter((path) => !/[!*]/.test(path)))('%s of the list of files is there', (path) => {
    expect(existsSync(join(ROOT, path))).toBe(true);
  });
});
