import type { Command } from 'commander';
import { escapeLines, type ProgramOutput, toJsonLine } from './outcome.js';

/** What a command found or did: text for people, a value for machines. One of the two is printed. */
export interface Report {
  /** Lines, without the last line feed. */
  readonly text: string;
  /** Members of the printed object beside `"ok": true` and `warnings`. */
  readonly json: Readonly<Record<string, unknown>>;
  /** What is allowed but probably not meant, one sentence each. */
  readonly warnings?: readonly string[];
}

/**
 * A commander action that prints the report of its body: `command.action(printReport(verify))`. Errors pass
 * through, to be printed where all are.
 *
 * @param body gets the command's arguments in order, then its options
 */
export function printReport<Inputs extends unknown[]>(
  body: (...inputs: Inputs) => Report | Promise<Report>,
): (this: Command, ...inputs: Inputs) => Promise<void> {
  return async function (this: Command, ...inputs: Inputs) {
    const report = await body(...inputs);
    writeReport(report, this.opts<{ json?: boolean }>().json === true, outputOf(this));
  };
}

/** Where this command's program writes. */
export function outputOf(command: Command): ProgramOutput {
  const { writeOut, writeErr } = command.configureOutput();
  if (writeOut === undefined || writeErr === undefined)
    throw new Error('the program was built without an output');
  return { writeOut, writeErr };
}

function writeReport({ text, json, warnings = [] }: Report, asJson: boolean, output: ProgramOutput): void {
  if (asJson) {
    output.writeOut(toJsonLine({ ok: true, ...json, ...(warnings.length === 0 ? {} : { warnings }) }));
    return;
  }
  for (const warning of warnings) output.writeErr(`warning: ${escapeLines(warning)}\n`);
  output.writeOut(`${text}\n`);
}
