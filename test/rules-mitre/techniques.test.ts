import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { findTechnique, replacementFor } from '../../rules-mitre/index.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** The id column of a table. */
function idsOf(table: string): string[] {
  return readFileSync(`${root}rules-mitre/${table}`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('T'))
    .map((line) => line.split('\t')[0] ?? '');
}

describe('ATT&CK table', () => {
  it('is what the generator writes', () => {
    const check = () => execFileSync(execPath, ['scripts/generate.mjs', '--check'], { cwd: root });
    expect(check).not.toThrow();
  });

  it('keeps the notice of MITRE beside the data', () => {
    for (const file of ['attack-v19.tsv', 'techniques.generated.ts']) {
      expect(readFileSync(`${root}rules-mitre/${file}`, 'utf8')).toContain('The MITRE Corporation');
    }
  });

  it('knows every id of the table, each with a name and a tactic', () => {
    const ids = idsOf('attack-v19.tsv');
    expect(ids.length).toBeGreaterThan(300);
    for (const id of ids) {
      const technique = findTechnique(id);
      expect(technique?.id).toBe(id);
      expect(technique?.name).not.toBe('');
      expect(technique?.tactics.length).toBeGreaterThan(0);
    }
  });

  it('gives name and tactics', () => {
    expect(findTechnique('T1574.006')).toEqual({
      id: 'T1574.006',
      name: 'Hijack Execution Flow: LD_PRELOAD',
      tactics: ['execution', 'stealth'],
    });
  });

  it('replaces every retired id by one that it knows', () => {
    for (const id of idsOf('retired-ids.tsv')) {
      expect(findTechnique(id), id).toBeUndefined();
      expect(findTechnique(replacementFor(id) ?? ''), id).toBeDefined();
    }
    expect(replacementFor('T1562.001')).toBe('T1685');
  });

  it.each(['', 'T9999', 't1014', 'T1014 ', '__proto__', 'T1562'])('does not know %j', (id) => {
    expect(findTechnique(id)).toBeUndefined();
  });
});
