import { describe, expect, test } from 'vitest';
import { testCost } from '../../engine/compiler/test-cost.js';
import { FILE_OPEN } from '../../lsm-hooks/index.js';
import { parseCondition } from '../../policies/language/index.js';

describe('testCost', () => {
  test('puts loads before copies, copies before walks, walks before searches', () => {
    const cheapestFirst = [
      'true',
      'file.write',
      'file.name == "shadow"',
      'file.path == "/etc/shadow"',
      'process.exe == "/bin/sh"',
      'file.path.contains("ssh")',
    ];
    const costs = cheapestFirst.map((cel) => testCost(parseCondition(cel, FILE_OPEN)));
    expect(costs).toEqual([...costs].sort((left, right) => left - right));
    expect(new Set(costs).size).toBe(costs.length);
  });

  test('takes a term for as dear as its dearest part', () => {
    const cost = (cel: string) => testCost(parseCondition(cel, FILE_OPEN));
    expect(cost('!(process.exe == "/bin/sh")')).toBe(cost('process.exe == "/bin/sh"'));
    expect(cost('file.write || process.exe == "/bin/sh"')).toBeGreaterThan(cost('process.exe == "/bin/sh"'));
  });
});
