import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type ErrorCode, VespidError } from '../../engine/errors/index.js';
import type { Surroundings } from '../../engine/signers/index.js';

/** A folder of secrets, an environment and a terminal that answers as told; gone at the end of the scope. */
export class SampleSurroundings implements Surroundings, Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'vespid-signers-'));
  readonly environment: Record<string, string | undefined> = {};
  /** What is typed, one entry a question; none left: no terminal. */
  readonly answers: string[] = [];
  readonly questions: string[] = [];

  /** Writes a file that only its owner can read, and gives its path. */
  write(name: string, content: string | Uint8Array, mode = 0o600): string {
    const path = join(this.directory, name);
    writeFileSync(path, content, { mode });
    return path;
  }

  readonly readFile = (path: string): { readonly bytes: Uint8Array } => ({ bytes: readFileSync(path) });

  readonly ask = async (question: string): Promise<string | undefined> => {
    this.questions.push(question);
    return this.answers.shift();
  };

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true });
  }
}

/** The typed error that a promise ends with. */
export async function expectRejection(code: ErrorCode, promise: Promise<unknown>): Promise<VespidError> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(outcome instanceof VespidError)) throw new Error(`expected ${code}, found ${String(outcome)}`);
  expect(outcome.code, outcome.message).toBe(code);
  expect(outcome.hint).toBeTruthy();
  return outcome;
}
