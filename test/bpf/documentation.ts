import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const ROOT = resolve(import.meta.dirname, '../..');
export const EXAMPLES = join(ROOT, 'docs/examples');

/** An example of docs/bpf.md: the code, and what it prints. */
export interface DocumentedExample {
  /** Of its file in docs/examples; undefined when no file has this code. */
  readonly file: string | undefined;
  readonly code: string;
  readonly output: string;
}

export function exampleFiles(): string[] {
  return readdirSync(EXAMPLES).filter((name) => name.endsWith('.ts'));
}

/** Every block of TypeScript with the block of text behind it. */
export function documentedExamples(): DocumentedExample[] {
  const text = readFileSync(join(ROOT, 'docs/bpf.md'), 'utf8');
  const byCode = new Map(exampleFiles().map((file) => [readFileSync(join(EXAMPLES, file), 'utf8'), file]));
  return [...text.matchAll(/```ts\n(.*?)```\n\n(?:```text\n(.*?)```)?/gs)].map(
    ([, code = '', output = '']) => ({
      file: byCode.get(code),
      code,
      output,
    }),
  );
}
