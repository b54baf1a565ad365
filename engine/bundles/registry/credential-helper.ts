import { spawn } from 'node:child_process';
import { VespidError } from '../../errors/index.js';
import type { Credentials } from './credentials.js';

/** Helpers of clouds ask their own servers; one that waits for a person to type cannot be answered here. */
const HELPER_TIMEOUT_MS = 30_000;
const MAX_ANSWER_BYTES = 64 * 1024;
/** A name from a file becomes the name of a program: no path, no option. */
const HELPER_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$/;
/** With this user name the secret is a refresh token (docker/cli, credentials/native_store.go). */
const TOKEN_USERNAME = '<token>';
/** The one failure that is no fault (docker-credential-helpers, credentials/error.go). */
const NOTHING_STORED = 'credentials not found in native keychain';

/**
 * Asks `docker-credential-NAME get`: the server's address on its standard input, JSON on its standard output.
 *
 * @param server the registry's host, or Docker Hub's URL
 * @throws VespidError REGISTRY_CREDENTIALS_UNREADABLE
 */
export async function askCredentialHelper(
  name: string,
  server: string,
  environment: NodeJS.ProcessEnv,
): Promise<Credentials | undefined> {
  const program = `docker-credential-${name}`;
  if (!HELPER_NAME.test(name)) throw failed(JSON.stringify(program), 'its name is not that of a program');
  const { exitCode, output } = await runHelper(program, server, environment);
  if (exitCode !== 0) {
    if (output.trim() === NOTHING_STORED) return undefined;
    // What it wrote stays here: nobody knows what a helper that fails prints.
    throw failed(program, `it ended with exit code ${exitCode}`);
  }
  return readAnswer(output, program);
}

function readAnswer(output: string, program: string): Credentials | undefined {
  const source = `the answer of ${program}`;
  let answer: unknown;
  try {
    answer = JSON.parse(output);
  } catch {
    throw failed(program, 'what it printed is not JSON');
  }
  // JSON.parse gives any; each member is checked before it is used.
  const { Username: username, Secret: secret }: Readonly<Record<string, unknown>> = Object(answer);
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw failed(program, 'what it printed has no Username and Secret');
  }
  if (secret === '') return undefined;
  if (username === TOKEN_USERNAME) return { kind: 'refresh-token', token: secret, source };
  return { kind: 'password', username, password: secret, source };
}

interface HelperResult {
  readonly exitCode: number;
  readonly output: string;
}

function runHelper(program: string, server: string, environment: NodeJS.ProcessEnv): Promise<HelperResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, ['get'], {
      env: environment,
      stdio: ['pipe', 'pipe', 'ignore'],
      timeout: HELPER_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    const chunks: Buffer[] = [];
    let byteLength = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      byteLength += chunk.length;
      if (byteLength <= MAX_ANSWER_BYTES) chunks.push(chunk);
      else child.kill('SIGKILL');
    });
    // A helper may end without reading its input.
    child.stdin.on('error', () => undefined);
    child.on('error', (error: NodeJS.ErrnoException) => {
      reject(failed(program, error.code === 'ENOENT' ? 'there is no such program' : `${error.code}`));
    });
    child.on('close', (exitCode, signal) => {
      if (signal !== null) reject(failed(program, `it was ended by ${signal}: too slow, or too much output`));
      else resolve({ exitCode: exitCode ?? 1, output: Buffer.concat(chunks).toString('utf8') });
    });
    child.stdin.end(server);
  });
}

function failed(program: string, reason: string): VespidError {
  return new VespidError('REGISTRY_CREDENTIALS_UNREADABLE', `${program} gives no credentials: ${reason}`, {
    hint: `run it by hand (echo REGISTRY | ${program} get), or take it out of credsStore and credHelpers of the docker config`,
  });
}
