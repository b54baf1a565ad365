import type { Command } from 'commander';
import type { VespidError } from '../errors/index.js';
import {
  asVespidError,
  escapeLines,
  PrintedFailure,
  type ProgramOutput,
  printFailure,
  toJsonLine,
} from './outcome.js';

/** Refused by verification or trust. */
export const REFUSED_EXIT_CODE = 3;

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

/** Why a command has no report of one of the things that it was to look at. */
export interface FailureReport {
  readonly failure: VespidError;
  /** Which thing, for people; absent when there is only one. */
  readonly subject?: string;
  /** Members of the printed object beside `ok` and `error`: which thing. */
  readonly json: Readonly<Record<string, unknown>>;
  /** What people asked for beside the failure itself; lines, without the last line feed. */
  readonly text?: string;
}

/** An action for a command that looks at several things and goes on after a failure: each result as it comes. */
export function printReports<Inputs extends unknown[]>(
  body: (...inputs: Inputs) => AsyncIterable<Report | FailureReport>,
): (this: Command, ...inputs: Inputs) => Promise<void> {
  return async function (this: Command, ...inputs: Inputs) {
    const { json = false, verbose = false } = this.opts<{ json?: boolean; verbose?: boolean }>();
    const output = outputOf(this);
    const style = { asJson: json, verbose };
    const failures: VespidError[] = [];
    try {
      for await (const report of body(...inputs)) {
        if (!('failure' in report)) {
          writeReport(report, json, output);
          continue;
        }
        if (report.text !== undefined && !json) output.writeOut(`${report.text}\n`);
        const { failure, subject, json: facts } = report;
        failures.push(
          printFailure(failure, { ...style, ...(subject === undefined ? {} : { subject }) }, output, facts),
        );
      }
    } catch (error) {
      failures.push(printFailure(asVespidError(error, verbose), style, output));
    }
    if (failures.length > 0) throw new PrintedFailure(exitCodeOfAll(failures));
  };
}

/** A refusal must not hide behind a file that was not found; else the first failure counts. */
function exitCodeOfAll(failures: readonly VespidError[]): number {
  const exitCodes = failures.map(({ exitCode }) => exitCode);
  return exitCodes.includes(REFUSED_EXIT_CODE) ? REFUSED_EXIT_CODE : (exitCodes[0] ?? 0);
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
