import { constants, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { PassphraseLine } from './passphrase-line.js';

/**
 * Asks for a secret at the controlling terminal, whatever standard input and output are, and shows nothing of what
 * is typed. Ctrl-C ends the process as it always does, with the terminal as it was.
 *
 * @returns undefined when the process has no terminal
 */
export async function askAtTerminal(question: string): Promise<string | undefined> {
  const fd = openTerminal();
  if (fd === undefined) return undefined;
  const terminal = new ReadStream(fd);
  try {
    // Before the question: what is typed ahead of raw mode would be echoed.
    terminal.setRawMode(true);
    writeSync(fd, question);
    return await readLine(terminal);
  } finally {
    terminal.setRawMode(false);
    writeSync(fd, '\n');
    terminal.destroy();
  }
}

function openTerminal(): number | undefined {
  try {
    return openSync('/dev/tty', constants.O_RDWR | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

function readLine(terminal: ReadStream): Promise<string> {
  const line = new PassphraseLine();
  terminal.setEncoding('utf8');
  return new Promise((resolve, reject) => {
    terminal.on('data', (typed: string) => {
      const state = line.type(typed);
      if (state === 'open') return;
      if (state === 'interrupted') interruptOurselves(terminal);
      resolve(line.text);
    });
    // A terminal that hangs up has ended the line.
    terminal.once('end', () => resolve(line.text));
    terminal.once('error', reject);
  });
}

/** In raw mode Ctrl-C is a character and no signal. */
function interruptOurselves(terminal: ReadStream): void {
  terminal.setRawMode(false);
  process.kill(process.pid, 'SIGINT');
}
