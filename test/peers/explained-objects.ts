import { readFileSync } from 'node:fs';
import { isKernelName, type KernelName } from '../vm/kernels.js';

/** An object that is not as the others on one kernel, with the reason. */
export interface ExplainedObject {
  readonly object: string;
  readonly kernel: KernelName;
  readonly reason: string;
}

/**
 * Reads `known-misses.tsv` or `not-compared.tsv`: object, kernel, reason, one object a line; lines with `#` are
 * comments.
 *
 * @throws Error naming a line that has no such form
 */
export function readExplainedObjects(path: string): ExplainedObject[] {
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
