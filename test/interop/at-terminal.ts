import { spawn } from 'node:child_process';
import { MAIN } from '../cli/run-vespid.js';

/** Runs the built program at a terminal of its own, types an answer after each question, and gives what it showed. */
export function atTerminal(
  args: readonly string[],
  answers: readonly string[],
): Promise<{ exitCode: number; shown: string }> {
  const words = [process.execPath, MAIN, ...args].map((word) => `'${word}'`).join(' ');
  const { VESPID_PASSPHRASE: _, ...environment } = process.env;
  const terminal = spawn('script', ['-qec', words, '/dev/null'], { env: environment });
  const left = [...answers];
  let [shown, seen] = ['', 0];
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    const questions = shown.match(/(passphrase|again|Passphrase of .*): /g)?.length ?? 0;
    for (; seen < questions; seen += 1) terminal.stdin.write(`${left.shift() ?? ''}\r`);
  });
  return new Promise((resolve, reject) => {
    terminal.once('error', reject);
    terminal.once('close', (exitCode) => resolve({ exitCode: exitCode ?? -1, shown }));
  });
}
