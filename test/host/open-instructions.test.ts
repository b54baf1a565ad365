import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OpenInstructions } from '../bench/open-instructions.js';
import { onePolicy, planPolicies } from './plan-policies.js';

let folder: string;
let plain: string;
let secret: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'vespid-cost-'));
  plain = join(folder, 'plain.txt');
  secret = join(folder, 'secret');
  writeFileSync(plain, '');
  writeFileSync(secret, '');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Rules that compare the path with one constant each; the last with that of `secret`. */
function equalityRules(count: number): string {
  return Array.from({ length: count }, (_, index) => {
    const path = index === count - 1 ? secret : `/etc/vespid/rule-${index}`;
    return onePolicy('file.open', `file.path == ${JSON.stringify(path)}`, 'audit', `rule-${index}`);
  }).join('---\n');
}

function measure(policies: string, path: string) {
  const [plan] = planPolicies(policies, { degrade: false });
  if (plan === undefined) throw new Error('no rule on file.open');
  using open = new OpenInstructions(plan);
  return open.measure(path);
}

describe('instructions executed for a file.open', () => {
  test('are the same in every run, and the verdict is that of the program without instruments', () => {
    const [plan] = planPolicies(equalityRules(3), { degrade: false });
    if (plan === undefined) throw new Error('no rule on file.open');
    using open = new OpenInstructions(plan);
    const runs = Array.from({ length: 5 }, () => ({
      plain: open.measure(plain),
      secret: open.measure(secret),
    }));
    expect(new Set(runs.map((run) => JSON.stringify(run))).size).toBe(1);
    expect(runs[0]?.plain.matched).toBe(false);
    expect(runs[0]?.secret.matched).toBe(true);
    expect(measure(equalityRules(3), plain)).toEqual(runs[0]?.plain);
  });

  test('stay few for a file that no rule names, and a rule more costs a handful', () => {
    const [one = 0, ten = 0, all = 0] = [1, 10, 64].map(
      (count) => measure(equalityRules(count), plain).instructions,
    );
    // What is read, the scope, the working memory and the name of the file: for one rule and for all alike.
    expect(one).toBeGreaterThan(20);
    expect(one).toBeLessThanOrEqual(200);
    expect((ten - one) / 9).toBeLessThanOrEqual(14);
    expect((all - one) / 63).toBeLessThanOrEqual(14);
  });
});
