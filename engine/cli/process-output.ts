import { writeSync } from 'node:fs';
import { formatError, VespidError } from '../errors/index.js';
import type { ProgramOutput } from './outcome.js';

const STDERR_FD = 2;

/** Standard output and standard error of this process. */
export const processOutput: ProgramOutput = {
  writeOut: (text) => void process.stdout.write(text),
  writeErr: (text) => void process.stderr.write(text),
};

/**
 * A reader that goes away (`vespid … | head`) is no fault: the rest is written to nobody. Any other failure to
 * write the result, a full disk for example, makes the command fail.
 */
export function watchStandardOutput(): void {
  process.stderr.on('error', () => undefined);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE' || process.exitCode === 1) return;
    process.exitCode = 1;
    const failure = new VespidError('OUTPUT_FAILED', `standard output cannot be written: ${error.message}`);
    writeSync(STDERR_FD, `${formatError(failure)}\n`);
  });
}
