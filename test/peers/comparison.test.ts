import { expect, test } from 'vitest';
import { compare, type Verdict } from './comparison.js';
import type { LoadOutcome } from './outcome.js';

const loaded = (tags: Readonly<Record<string, string>>): LoadOutcome => ({
  kind: 'loaded',
  tags,
  durationMs: 5,
});
const refused: LoadOutcome = { kind: 'refused', reason: 'no such type', durationMs: 5 };
const slow: LoadOutcome = { kind: 'over-limit', durationMs: 20_004 };
const notTried: LoadOutcome = { kind: 'over-limit', durationMs: 0 };
const tags = { first: '00112233aabbccdd', second: 'ffeeddccbbaa9988' };

test.each<[string, LoadOutcome, LoadOutcome, Verdict, string]>([
  ['equal tags', loaded(tags), loaded({ second: tags.second, first: tags.first }), 'both', ''],
  ['no programs', loaded({}), loaded({}), 'both', ''],
  [
    'another tag',
    loaded(tags),
    loaded({ ...tags, second: '0000000000000000' }),
    'tags differ',
    'second: ffeeddccbbaa9988 by libbpf, 0000000000000000 by Vespid',
  ],
  [
    'a program less',
    loaded(tags),
    loaded({ first: tags.first }),
    'tags differ',
    'second: ffeeddccbbaa9988 by libbpf, absent by Vespid',
  ],
  ['Vespid refuses', loaded(tags), refused, 'only libbpf', 'Vespid: no such type'],
  ['Vespid is slow', loaded(tags), slow, 'only libbpf', 'Vespid: not loaded after 20 s'],
  ['libbpf refuses', refused, loaded(tags), 'only Vespid', 'libbpf: no such type'],
  ['both refuse', refused, refused, 'neither', 'libbpf: no such type | Vespid: no such type'],
  [
    'libbpf refuses, Vespid is slow',
    refused,
    slow,
    'neither',
    'libbpf: no such type | Vespid: not loaded after 20 s',
  ],
  ['libbpf is slow', slow, notTried, 'over limit', 'libbpf: not loaded after 20 s'],
])('%s', (_, libbpf, vespid, verdict, reason) => {
  expect(compare('6.12', { object: 'sample', libbpf, vespid })).toMatchObject({
    kernel: '6.12',
    object: 'sample',
    verdict,
    reason,
  });
});
