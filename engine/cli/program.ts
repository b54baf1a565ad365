import { Command, type CommanderError } from 'commander';
import { asmCommand } from './commands/asm.js';
import { compileCommand } from './commands/compile.js';
import { completionCommand } from './commands/completion.js';
import { demoCommand } from './commands/demo.js';
import { disasmCommand } from './commands/disasm.js';
import { doctorCommand } from './commands/doctor.js';
import { inspectCommand } from './commands/inspect.js';
import { keygenCommand } from './commands/keygen.js';
import { pullCommand } from './commands/pull.js';
import { pushCommand } from './commands/push.js';
import { runCommand } from './commands/run.js';
import { signCommand } from './commands/sign.js';
import { trustCommand } from './commands/trust.js';
import { verifyCommand } from './commands/verify.js';
import { exitCodeOf, type ProgramOutput, usageError } from './outcome.js';
import { packageVersion } from './package-version.js';

/** The heading of commander's own `help`, too. */
const MORE = 'More:';

/** The commands under the headings of the help, in the order in which they are first needed. */
const COMMAND_GROUPS: readonly (readonly [heading: string, commands: readonly (() => Command)[]])[] = [
  ['Sign, in CI:', [keygenCommand, compileCommand, signCommand]],
  ['Distribute:', [pushCommand, pullCommand]],
  ['Judge a bundle:', [verifyCommand, inspectCommand, trustCommand]],
  ['Enforce, on a node:', [doctorCommand, runCommand, demoCommand]],
  ['Read and write BPF code:', [disasmCommand, asmCommand]],
  [MORE, [completionCommand]],
];

const AFTER_HELP = `
The first two commands:
  # what this machine's kernel can deliver
  vespid doctor
  # policies compiled, signed, verified and enforced, in under a minute
  vespid demo

Exit codes: 0 ok, 1 failed, 2 usage, 3 refused by verification or trust, 4 not supported by this kernel.`;

/** Runs one command line and gives its exit code; see {@link exitCodeOf}. */
export function runProgram(args: readonly string[], output: ProgramOutput): Promise<number> {
  return exitCodeOf(() => buildProgram(output).parseAsync([...args], { from: 'user' }), args, output);
}

/** The command tree. It neither writes to the process's own streams nor ends the process. */
export function buildProgram(output: ProgramOutput): Command {
  const program = new Command('vespid')
    .description('Signed eBPF runtime security for Linux')
    .version(packageVersion(), '--version', 'print the version')
    .helpOption('--help', 'print this help')
    .commandsGroup(MORE)
    .helpCommand('help [command]', 'print the help of a command')
    // outputError: what went wrong is printed where all errors are.
    .configureOutput({ ...output, outputError: () => undefined })
    .addHelpText('after', AFTER_HELP);
  for (const [heading, commands] of COMMAND_GROUPS) {
    for (const command of commands) program.addCommand(adopt(command().helpGroup(heading), program));
  }
  return throwUsageErrors(program, program.name());
}

/** @param groupPath words before the command's name */
function adopt(command: Command, program: Command, groupPath = program.name()): Command {
  const path = `${groupPath} ${command.name()}`;
  for (const subcommand of command.commands) adopt(subcommand, program, path);
  return throwUsageErrors(command.copyInheritedSettings(program), path);
}

/** Instead of ending the process. Help and version come this way, too; they stay commander's own. */
function throwUsageErrors(command: Command, commandPath: string): Command {
  return command.exitOverride((error: CommanderError) => {
    const isHelpOrVersion = error.exitCode === 0 || error.code === 'commander.help';
    throw isHelpOrVersion ? error : usageError(error, commandPath);
  });
}
