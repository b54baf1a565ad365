import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runProgram } from './run-program.js';

const ROOT = resolve(import.meta.dirname, '../..');
// Compiled tests run from dist/, where the pom is not copied to.
const POM = join(ROOT, 'test/kafka/pom.xml');
const PLUGIN = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1';

/**
 * A Java class path with Kafka and all that it needs, as `test/kafka/pom.xml` lists it. Fetched once for each
 * content of that file; afterwards no network is needed.
 */
export async function kafkaClassPath(): Promise<string> {
  const version = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 16);
  const folder = join(ROOT, '.cache/kafka', version);
  if (!existsSync(folder)) await fetchJars(folder);
  return join(folder, '*');
}

/** Fetches beside and renames, so that an interrupted run leaves nothing half done. */
async function fetchJars(folder: string): Promise<void> {
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    await runProgram('mvn', [
      '--quiet',
      '--batch-mode',
      '--strict-checksums',
      '--file',
      POM,
      `${PLUGIN}:copy-dependencies`,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${partial}`,
    ]);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
