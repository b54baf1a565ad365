import { CommanderError } from 'commander';
import { formatError, VespidError } from '../errors/index.js';
import { escapeForTerminal } from '../events/index.js';

/** Where a command writes; commander hands it down to every command. */
export interface ProgramOutput {
  readonly writeOut: (text: string) => void;
  readonly writeErr: (text: string) => void;
}

const USAGE_EXIT_CODE = 2;

/**
 * Runs the program and gives its exit code. A failure is printed here and nowhere else: for people on standard
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
    const verbose = args.includes('--verbose');
    const failure = asVespidError(error, verbose);
    if (args.includes('--json')) output.writeOut(failureJson(failure));
    else output.writeErr(failureText(failure, verbose));
    return failure.exitCode;
  }
}

/** Anything but our own error is a fault of ours; its stack is for those who ask. */
function asVespidError(error: unknown, verbose: boolean): VespidError {
  if (error instanceof VespidError) return error;
  const stack = error instanceof Error ? error.stack : undefined;
  return new VespidError('INTERNAL', error instanceof Error ? error.message : String(error), {
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

function failureJson(error: VespidError): string {
  const log = error.log === undefined ? {} : { log: error.log };
  return toJsonLine({ ok: false, error: { ...error.toJSON(), ...log } });
}

/** One line; 64-bit integers, which JSON's readers round, as decimal strings. */
export function toJsonLine(value: object): string {
  return `${JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))}\n`;
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
