import { type ChildProcess, spawn } from 'node:child_process';
import { VespidError } from '../errors/index.js';

export interface RunLimits {
  readonly timeoutMs: number;
  /** Bytes of standard output; a command that prints more is stopped. */
  readonly maxOutputBytes: number;
}

/** Time to close a session with a device after SIGTERM, before SIGKILL. */
const GRACE_MS = 2000;

/**
 * Runs a program with `input` on standard input, and gives what it prints. Its standard error is ours, so that
 * its questions and complaints reach the user as they come. No shell is involved.
 *
 * @param command program and arguments
 * @throws VespidError SIGNER_COMMAND_FAILED, SIGNER_COMMAND_TIMEOUT, SIGNER_OUTPUT_INVALID
 */
export async function runCommand(
  [file, ...args]: readonly [string, ...string[]],
  input: Uint8Array,
  { timeoutMs, maxOutputBytes }: RunLimits,
): Promise<Uint8Array> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let failure: VespidError | undefined;
  const fail = (error: VespidError) => {
    failure ??= error;
    stop(child);
  };
  const timer = setTimeout(() => fail(tooSlow(file, timeoutMs)), timeoutMs);
  const chunks: Uint8Array[] = [];
  let byteLength = 0;
  child.stdout.on('data', (chunk: Uint8Array) => {
    byteLength += chunk.length;
    if (byteLength > maxOutputBytes) fail(tooMuch(file, maxOutputBytes));
    else chunks.push(chunk);
  });
  // A command may answer without reading all; whether that is a fault, its exit code says.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  try {
    const ending = await endOf(child, file);
    if (failure !== undefined) throw failure;
    if (ending !== undefined) throw ending;
    return Uint8Array.from(Buffer.concat(chunks));
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the process has ended and its output is closed, with the reason if it did not succeed. */
function endOf(child: ChildProcess, file: string): Promise<VespidError | undefined> {
  return new Promise((resolve) => {
    child.once('error', (cause) => resolve(failed(`${file} could not be started: ${cause.message}`, cause)));
    child.once('close', (exitCode, signal) => {
      if (exitCode === 0) resolve(undefined);
      else resolve(failed(`${file} ended with ${signal ?? `exit code ${exitCode}`}`));
    });
  });
}

/** Its pipes are closed, too: a process that it left behind could keep them open for ever. */
function stop(child: ChildProcess): void {
  child.stdin?.destroy();
  child.stdout?.destroy();
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
  child.once('close', () => clearTimeout(timer));
}

function failed(what: string, cause?: unknown): VespidError {
  return new VespidError('SIGNER_COMMAND_FAILED', `--sign-command: ${what}`, {
    hint: 'see what it printed above; run it by hand with any file on its standard input',
    cause,
  });
}

function tooSlow(file: string, timeoutMs: number): VespidError {
  return new VespidError(
    'SIGNER_COMMAND_TIMEOUT',
    `--sign-command: expected ${file} to answer within ${timeoutMs / 1000} seconds, found it still running`,
    { hint: 'does it wait for a touch or a PIN? give it more time by --sign-timeout SECONDS' },
  );
}

function tooMuch(file: string, maxOutputBytes: number): VespidError {
  return new VespidError(
    'SIGNER_OUTPUT_INVALID',
    `--sign-command: expected a signature from ${file}, found more than ${maxOutputBytes} bytes`,
    { hint: 'it should print the signature and nothing else; messages belong on standard error' },
  );
}
