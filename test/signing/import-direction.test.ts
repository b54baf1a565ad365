import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const SIGNING = resolve(import.meta.dirname, '../../signing');

/** Types are gone when the code runs. */
const TYPE_IMPORT = /^(?:import|export) type [^;]*;/gm;

/** Every module that `file` reaches through relative imports, and every package it names on the way. */
function reach(file: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(file)) return found;
  found.add(file);
  for (const [, specifier = ''] of sourceOf(file).matchAll(/from '([^']+)'/g)) {
    if (!specifier.startsWith('.')) found.add(specifier);
    else reach(join(dirname(file), specifier.replace(/\.js$/, '.ts')), found);
  }
  return found;
}

function sourceOf(file: string): string {
  return readFileSync(file, 'utf8').replace(TYPE_IMPORT, '');
}

describe('signing', () => {
  test.each([
    'bundle/bundle-verifier',
    'trust/judge-bundle',
    'trust/parse-trust-policy',
    'bundle/bundle-inspector',
  ])('%s reaches no signing code', (root) => {
    const reached = reach(join(SIGNING, `${root}.ts`));
    expect(reached).toContain(join(SIGNING, `${root}.ts`));
    expect(reached).not.toContain(join(SIGNING, 'keys/key-pair.ts'));
    expect(reached).not.toContain(join(SIGNING, 'bundle/bundle-writer.ts'));
  });

  test('does no input or output, and imports no other part but the errors', () => {
    const reached = [...reach(join(SIGNING, 'index.ts'))];
    const packages = reached
      .filter((name) => !name.startsWith('/'))
      .map((name) => name.replace(/^(@[^/]+\/)?([^/]+).*/, '$1$2'));
    expect(new Set(packages)).toEqual(new Set(['@noble/ed25519', 'ajv', 'node:crypto', 'semver', 'yaml']));
    const outside = reached.filter((name) => name.startsWith('/') && !name.startsWith(`${SIGNING}/`));
    expect(outside.every((name) => dirname(name).endsWith('/engine/errors'))).toBe(true);
  });
});
