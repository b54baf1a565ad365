import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runProgram } from './run-program.js';

const POM = 'test/kafka/pom.xml';
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/**
 * A Java class path with Kafka and all that it needs, as `test/kafka/pom.xml` lists it. Fetched once for each
 * content of that file; afterwards no network is needed.
 */
export async function kafkaClassPath(): Promise<string> {
  const root = repositoryRoot();
  const pom = join(root, POM);
  const version = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 16);
  const folder = join(root, '.cache/kafka', version);
  if (!existsSync(folder)) await fetchJars(pom, folder);
  return join(folder, '*');
}

/** The pom is not copied to dist/, where the compiled benchmark has this file. */
function repositoryRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, POM))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error(`${POM} is not in any folder above ${import.meta.dirname}`);
    folder = parent;
  }
  return folder;
}

/** Fetches beside and renames, so that an interrupted run leaves nothing half done. */
async function fetchJars(pom: string, folder: string): Promise<void> {
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await runProgram('mvn', [
      '--quiet',
      '--batch-mode',
      '--strict-checksums',
      '--file',
      pom,
      `${PLUGIN}:copy-dependencies`,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${partial}`,
    ]);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
