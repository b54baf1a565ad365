import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from './run-case.js';

/** Writes an input under the name of its target and digest, with what it does and how to see it again beside it. */
export function writeCrasher(
  folder: string,
  crasher: {
    readonly target: string;
    readonly seed: number;
    readonly caseIndex: number;
    readonly fault: Fault;
    readonly input: Uint8Array;
  },
): string {
  const { target, seed, caseIndex, fault, input } = crasher;
  const digest = createHash('sha256').update(input).digest('hex').slice(0, 12);
  const path = join(folder, `${target}.${digest}.bin`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(path, input);
  writeFileSync(
    `${path}.txt`,
    [
      `${fault.kind}: ${fault.message}`,
      fault.signature,
      `found with --target ${target} --seed ${seed}, case ${caseIndex}`,
      `replay: npm run fuzz -- --target ${target} --replay ${path}`,
      '',
    ].join('\n'),
  );
  return path;
}
