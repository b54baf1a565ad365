import { readFileSync } from 'node:fs';
import { isKernelName, type KernelName } from '../vm/kernels.js';

/** An object that libbpf loads and Vespid does not, with the reason why that is right or accepted. */
export interface KnownMiss {
  readonly object: string;
  readonly kernel: KernelName;
  readonly reason: string;
}

/**
 * Reads `known-misses.tsv`: object, kernel, reason, one miss a line; lines with `#` are comments.
 *
 * @throws Error naming a line that has no such form
 */
export function readKnownMisses(path: string): KnownMiss[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .map((line, index) => ({ line, number: index + 1 }))
    .filter(({ line }) => line !== '' && !line.startsWith('#'))
    .map(({ line, number }) => {
      const [object = '', kernel = '', reason = '', ...rest] = line.split('\t');
      if (object === '' || !isKernelName(kernel) || reason === '' || rest.length > 0)
        throw new Error(`${path}:${number}: expected object, kernel and reason with tabs between them`);
      return { object, kernel, reason };
    });
}
