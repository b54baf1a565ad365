import { Argument, Command } from 'commander';
import { VespidError } from '../../errors/index.js';
import { completionScript, SHELLS, type Shell } from '../completion-script.js';
import { helpNotes } from '../help-text.js';
import { outputOf } from '../report.js';
import { verboseOption } from '../shared-options.js';

export function completionCommand(): Command {
  return new Command('completion')
    .description('print a completion script for a shell')
    .addArgument(new Argument('<shell>', 'whose script').choices(SHELLS))
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['source <(vespid completion bash)', 'for this bash; in ~/.bashrc for every one'],
          ['vespid completion fish > ~/.config/fish/completions/vespid.fish', 'for every fish'],
        ],
      }),
    )
    .action(function (this: Command, shell: Shell) {
      if (this.parent === null) throw new VespidError('INTERNAL', 'the command stands in no program');
      outputOf(this).writeOut(`${completionScript(this.parent, shell)}\n`);
    });
}
