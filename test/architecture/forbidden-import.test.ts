import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALLOWED_IMPORTS } from './import-order.js';

const ROOT = resolve(import.meta.dirname, '../..');
const PARTS = Object.keys(ALLOWED_IMPORTS);
const RELATIVE_IMPORT = /(?:from|import)\s*\(?\s*'(\.{1,2}\/[^']+)'/g;

/** The projects that a tsconfig.json refers to, as paths from the root. */
function references(directory: string): string[] {
  const config: unknown = JSON.parse(readFileSync(join(ROOT, directory, 'tsconfig.json'), 'utf8'));
  expect(config).toHaveProperty('references');
  const { references: listed } = config as { references: { path: string }[] };
  return listed.map(({ path }) => normalize(join(directory, path)));
}

describe('project references', () => {
  it.each(PARTS)('of %s are the allowed imports', (part) => {
    expect(references(part).sort()).toEqual([...(ALLOWED_IMPORTS[part] ?? [])].sort());
  });

  it.each(PARTS)('of %s go to lower parts only', (part) => {
    for (const lower of ALLOWED_IMPORTS[part] ?? [])
      expect(PARTS.indexOf(lower)).toBeLessThan(PARTS.indexOf(part));
  });

  it('of the root and of the tests name every part', () => {
    expect(references('.').sort()).toEqual([...PARTS, 'test'].sort());
    expect(references('test').sort()).toEqual([...PARTS].sort());
  });
});

/** The parts that a part imports directly or through another one. */
function reachable(part: string): Set<string> {
  const found = new Set<string>();
  for (const lower of ALLOWED_IMPORTS[part] ?? []) {
    found.add(lower);
    for (const further of reachable(lower)) found.add(further);
  }
  return found;
}

/** The part that a file belongs to: the longest one that its path starts with. */
function partOf(path: string): string | undefined {
  return PARTS.filter((part) => path.startsWith(`${part}/`)).sort((a, b) => b.length - a.length)[0];
}

describe('the source', () => {
  it.each(PARTS)('of %s imports only what its row allows', (part) => {
    const allowed = [part, ...(ALLOWED_IMPORTS[part] ?? [])];
    const files = readdirSync(join(ROOT, part), { recursive: true, encoding: 'utf8' })
      .map((path) => join(part, path))
      .filter((path) => path.endsWith('.ts') && partOf(path) === part);
    const forbidden = files.flatMap((path) =>
      [...readFileSync(join(ROOT, path), 'utf8').matchAll(RELATIVE_IMPORT)]
        .map(([, specifier]) => normalize(join(dirname(path), specifier ?? '')))
        .filter((target) => !allowed.includes(partOf(target) ?? ''))
        .map((target) => `${path} imports ${target}`),
    );
    expect(forbidden).toEqual([]);
  });
});

/**
 * The parts with their real tsconfig files, and a stand-in for their source: each has an index, and one probe per
 * other part that imports that part's index.
 */
describe('the compiler', () => {
  let copy = '';
  let probesRefused: string[] = [];

  const probeName = (part: string): string => `probe-${part.replaceAll('/', '-')}.ts`;
  const otherParts = (part: string): string[] => PARTS.filter((other) => other !== part);

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'vespid-imports-'));
    symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'));
    copyFileSync(join(ROOT, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
    for (const part of PARTS) {
      mkdirSync(join(copy, part), { recursive: true });
      copyFileSync(join(ROOT, part, 'tsconfig.json'), join(copy, part, 'tsconfig.json'));
      writeFileSync(join(copy, part, 'index.ts'), `export const part = '${part}';\n`);
      for (const other of otherParts(part)) {
        const specifier = relative(part, join(other, 'index.js'));
        writeFileSync(
          join(copy, part, probeName(other)),
          `import { part } from '${specifier}';\nexport default part;\n`,
        );
      }
    }
    probesRefused = compile();
  }, 60_000);

  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  /** The files in which an import of another project is refused. */
  function compile(): string[] {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = spawnSync(process.execPath, [tsc, '-b', '--pretty', 'false', ...PARTS], {
      cwd: copy,
      encoding: 'utf8',
    });
    return [...stdout.matchAll(/^(\S+)\(\d+,\d+\): error TS6307/gm)].map(([, path]) => path ?? '').sort();
  }

  // It lets a part import what its references refer to in turn; the scan below is stricter.
  it.each(PARTS)('refuses every import of %s that its references do not lead to, and no other', (part) => {
    const allowed = [...reachable(part)];
    const forbidden = otherParts(part).filter((other) => !allowed.includes(other));
    expect(probesRefused.filter((path) => path.startsWith(`${part}/`))).toEqual(
      forbidden.map((other) => `${part}/${probeName(other)}`).sort(),
    );
  });
});
