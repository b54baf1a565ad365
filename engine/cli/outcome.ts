import { CommanderError } from 'commander';
import { formatError, reasonOf, VespidError } from '../errors/index.js';
import { escapeForTerminal } from '../events/index.js';

/** Where a command writes; commander hands it down to every command. */
export interface ProgramOutput {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
}

const USAGE_EXIT_CODE = 2;

/** How a command line wants failures to be told. */
export interface FailureStyle {
  readonly asJson: boolean;
  readonly verbose: boolean;
  /** What failed, for people, when a command looked at several things. */
  readonly subject?: string;
}

/** Ends a command whose failures are printed already, one for each thing that it looked at. */
export class PrintedFailure extends Error {
  constructor(readonly exitCode: number) {
    super('printed already');
  }
}

/**
 * Runs the program and gives its exit code. A failure is printed by {@link printFailure}: for people on standard
 * error, or with `--json` as `{ "ok": false, "error": … }` on standard output.
 *
 * @param args the command line; looked at by itself because a usage error ends its parsing early
 */
export async function exitCodeOf(
  run: () => Promise<unknown>,
  args: readonly string[],
  output: ProgramOutput,
): Promise<number> {
  try {
    await run();
    return 0;
  } catch (error) {
    // Help and version end the parsing, too; commander has printed them.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    if (error instanceof PrintedFailure) return error.exitCode;
    const style = { asJson: args.includes('--json'), verbose: args.includes('--verbose') };
    return printFailure(asVespidError(error, style.verbose), style, output).exitCode;
  }
}

/**
 * Prints one failure.
 *
 * @param facts members of the printed object beside `ok` and `error`
 * @returns the failure
 */
export function printFailure(
  failure: VespidError,
  { asJson, verbose, subject }: FailureStyle,
  output: ProgramOutput,
  facts: Readonly<Record<string, unknown>> = {},
): VespidError {
  if (asJson) output.writeOut(failureJson(failure, facts));
  else
    output.writeErr(
      `${subject === undefined ? '' : `${escapeLines(subject)}: `}${failureText(failure, verbose)}`,
    );
  return failure;
}

/** Anything but our own error is a fault of ours; its stack is for those who ask. */
export function asVespidError(error: unknown, verbose: boolean): VespidError {
  if (error instanceof VespidError) return error;
  const stack = error instanceof Error ? error.stack : undefined;
  return new VespidError('INTERNAL', reasonOf(error), {
    cause: error,
    ...(verbose && stack !== undefined ? { log: stack } : {}),
    hint: verbose
      ? 'this is a fault in Vespid: please report it with what stands above'
      : 'this is a fault in Vespid: run it again with --verbose and please report it',
  });
}

function failureText(error: VespidError, verbose: boolean): string {
  const lines = [formatError(error)];
  if (verbose && error.log !== undefined) lines.push(error.log.trimEnd());
  return `${lines.map(escapeLines).join('\n')}\n`;
}

function failureJson(error: VespidError, facts: Readonly<Record<string, unknown>>): string {
  const log = error.log === undefined ? {} : { log: error.log };
  return toJsonLine({ ok: false, ...facts, error: { ...error.toJSON(), ...log } });
}

/** One line; 64-bit integers, which JSON's readers round, as decimal strings. */
export function toJsonLine(value: object): string {
  return `${JSON.stringify(value, integersAsText)}\n`;
}

/** The same for a file that people open, too. */
export function toJsonFile(value: object): string {
  return `${JSON.stringify(value, integersAsText, 2)}\n`;
}

function integersAsText(_key: string, item: unknown): unknown {
  return typeof item === 'bigint' ? item.toString() : item;
}

/** Text of several lines that quotes files: the lines stay, whatever else could steer a terminal is escaped. */
export function escapeLines(text: string): string {
  return text.replace(/[^\n\t\\]+/gu, escapeForTerminal);
}

/** Commander's own refusals under our code, with the way to the help of the command that was meant. */
export function usageError(error: CommanderError, commandPath: string): VespidError {
  return new VespidError('USAGE', error.message.replace(/^error: /, '').replaceAll('\n', ' '), {
    hint: `see \`${commandPath} --help\``,
    cause: error,
  });
}
