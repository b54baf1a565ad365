import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compileAll, type HeaderTree, selftestFlags } from './compiler.js';

const SOURCE_SUFFIX = '.bpf.c';

/**
 * Compiles our own C objects, one for each feature of an object file that the selftests do not show by themselves.
 *
 * @throws Error when one does not compile: they are ours, so that is a fault
 */
export async function buildOwnObjects(
  sourceDirectory: string,
  outputDirectory: string,
  headers: HeaderTree,
): Promise<string[]> {
  rmSync(outputDirectory, { recursive: true, force: true });
  mkdirSync(outputDirectory, { recursive: true });
  const compilations = readdirSync(sourceDirectory)
    .filter((name) => name.endsWith(SOURCE_SUFFIX))
    .sort()
    .map((name) => ({
      source: join(sourceDirectory, name),
      object: join(outputDirectory, `own-${basename(name, SOURCE_SUFFIX)}.bpf.o`),
      flags: flagsIn(readFileSync(join(sourceDirectory, name), 'utf8')),
    }));
  const failures = await compileAll(compilations, selftestFlags(headers));
  if (failures.length > 0)
    throw new Error(failures.map(({ source, reason }) => `${source} does not compile: ${reason}`).join('\n'));
  return compilations.map(({ object }) => object);
}

/** Flags that go after the usual ones, said at the top of the source: `/* clang -mcpu=v4: what it shows`. */
function flagsIn(source: string): string[] {
  return /^\/\* clang ([^:]+):/.exec(source)?.[1]?.split(' ') ?? [];
}
