import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BpfProgram } from '../../../engine/kernel/index.js';
import { summarizeErrors } from '../libbpf-errors.js';
import type { LoadOutcome } from '../outcome.js';
import { BPF_FILE_SYSTEM, removeAllPins } from './bpf-file-system.js';

const PINS = join(BPF_FILE_SYSTEM, 'peers');
/** The end of what bpftool writes explains its failure; a verifier log before it may have megabytes. */
const KEPT_ERROR_CHARACTERS = 64 * 1024;

/** `bpftool prog loadall`: Debian's libbpf loads every program of the object, or none. Leaves nothing behind. */
export async function loadWithLibbpf(path: string, limitMs: number): Promise<LoadOutcome> {
  const startedAtMs = Date.now();
  try {
    const { code, killed, errors } = await run(['prog', 'loadall', path, PINS], limitMs);
    const durationMs = Date.now() - startedAtMs;
    if (killed) return { kind: 'over-limit', durationMs };
    if (code !== 0) return { kind: 'refused', reason: summarizeErrors(errors), durationMs };
    // There is no directory for an object without programs.
    const pins = existsSync(PINS) ? readdirSync(PINS) : [];
    const tags = pins.map((name) => [name, tagOf(join(PINS, name))]);
    return { kind: 'loaded', tags: Object.fromEntries(tags), durationMs };
  } finally {
    removeAllPins();
  }
}

function tagOf(pin: string): string {
  using program = BpfProgram.openPinned(pin);
  return program.info().tag;
}

function run(
  args: readonly string[],
  timeout: number,
): Promise<{ code: number | null; killed: boolean; errors: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn('bpftool', args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      timeout,
      killSignal: 'SIGKILL',
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-KEPT_ERROR_CHARACTERS);
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, killed: signal !== null, errors }));
  });
}
