import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { writeObject } from '../../engine/bytecode/index.js';
import { packageRoot } from '../bench/package-root.js';
import { compileBpf } from '../bytecode/external-tools.js';
import { sampleDefinition } from '../bytecode/sample-object.js';

/**
 * Writes the objects that all targets begin with into a folder: our own writer's, and clang's of every fixture for
 * both byte orders. Those that a machine cannot be compiled for are named in what it returns.
 */
export function writeCorpus(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'sample.bpf.o'), writeObject(sampleDefinition()));
  const fixtures = join(packageRoot(), 'test/fixtures/bytecode');
  const sources = readdirSync(fixtures).filter((name) => name.endsWith('.bpf.c'));
  const failures: string[] = [];
  for (const source of sources) {
    for (const machine of ['bpfel', 'bpfeb'] as const) {
      const object = join(folder, `${basename(source, '.bpf.c')}.${machine}.o`);
      try {
        compileBpf(join(fixtures, source), object, { compiler: 'clang-19', target: machine });
      } catch (error) {
        failures.push(`${source} for ${machine}: ${String(error).split('\n')[0]}`);
      }
    }
  }
  return failures;
}

/** The objects of {@link writeCorpus}, in the order of their names. */
export function readCorpus(folder: string): Uint8Array[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.o'))
    .sort()
    .map((name) => new Uint8Array(readFileSync(join(folder, name))));
}
