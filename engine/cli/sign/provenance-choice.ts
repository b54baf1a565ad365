import { env } from 'node:process';
import { buildProvenance, type Provenance, readProvenanceFile } from '../../../signing/index.js';
import { readInputFile } from '../input-file.js';

/**
 * The SLSA provenance that `--provenance` asks for: of the CI job that this process is part of, if it is part of one
 * (`auto`), none, or what a file holds.
 *
 * @throws VespidError PROVENANCE_*, INPUT_*
 */
export function chooseProvenance(choice: string): Provenance | undefined {
  if (choice === 'none') return undefined;
  if (choice === 'auto') return buildProvenance(env);
  return readProvenanceFile(readInputFile(choice).bytes, choice);
}
