import type { FuzzTarget } from '../fuzz-target.js';

/** What the first byte of an input makes the target do, apart from nothing. */
export const MISBEHAVIOURS = ['throw', 'hang', 'grow the heap', 'grow buffers', 'end the process'] as const;

/** Not a reader: a target with every fault that the driver must notice. The input is the case's place in a cycle. */
export const misbehaving: FuzzTarget = {
  name: 'misbehaving',
  codes: ['BYTES_OUT_OF_RANGE'],
  seeds: () => [Uint8Array.from([0])],
  mutate: (random) => Uint8Array.from([random.below(2 * MISBEHAVIOURS.length)]),
  run: (input) => {
    const kept: unknown[] = [];
    switch (MISBEHAVIOURS[input[0] ?? 0]) {
      case 'throw':
        throw new RangeError('not one of ours');
      case 'hang':
        for (;;);
      case 'grow the heap':
        for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => ({ index })));
      case 'grow buffers':
        for (;;) kept.push(new Uint8Array(8 * 1024 * 1024).fill(1));
      case 'end the process':
        process.abort();
    }
  },
};
