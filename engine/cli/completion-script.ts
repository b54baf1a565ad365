import type { Argument, Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What can follow one command. Everything else is a path, which the shells complete by themselves. */
interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** Values that a positional argument can have. */
  readonly choices: readonly string[];
}

interface OptionWords {
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A completion script for a program of one level of commands. Pure. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map(wordsOf);
  const name = program.name();
  switch (shell) {
    case 'bash':
      return bashScript(name, commands);
    case 'zsh':
      return zshScript(name, commands);
    case 'fish':
      return fishScript(name, commands);
  }
}

function wordsOf(command: Command): CommandWords {
  return {
    name: command.name(),
    description: command.description(),
    options: command.options.flatMap(optionWords),
    choices: command.registeredArguments.flatMap((argument: Argument) => argument.argChoices ?? []),
  };
}

function optionWords(option: Option): OptionWords[] {
  if (option.long === undefined || option.hidden) return [];
  return [
    {
      flag: option.long,
      description: option.description,
      takesValue: option.required || option.optional,
      choices: option.argChoices ?? [],
    },
  ];
}

/** Single quotes; names and descriptions are ours, but a quote in one must not end the word. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Files are what is offered unless something else is known. */
function bashScript(name: string, commands: readonly CommandWords[]): string {
  const choices = commands.flatMap((command) =>
    command.options
      .filter((option) => option.choices.length > 0)
      .map((option) => `    "${command.name} ${option.flag}") ${bashWords(option.choices)}; return ;;`),
  );
  const commandNames = commands.map((command) => command.name);
  return [
    `# bash completion for ${name}: source <(${name} completion bash)`,
    `_${name}() {`,
    `  local command="\${COMP_WORDS[1]}" current=$2 previous=$3`,
    '  if [[ $COMP_CWORD -eq 1 ]]; then',
    `    ${bashWords([...commandNames, 'help', '--help', '--version'])}`,
    '    return',
    '  fi',
    '  case "$command $previous" in',
    ...choices,
    '  esac',
    '  case "$command $current" in',
    ...commands.map(
      ({ name: command, options }) =>
        `    "${command} -"*) ${bashWords([...options.map(({ flag }) => flag), '--help'])} ;;`,
    ),
    ...commands
      .filter((command) => command.choices.length > 0)
      .map((command) => `    "${command.name} "*) ${bashWords(command.choices)} ;;`),
    `    "help "*) ${bashWords(commandNames)} ;;`,
    '    *) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;',
    '  esac',
    '}',
    `complete -o filenames -F _${name} ${name}`,
  ].join('\n');
}

function bashWords(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$current"))`;
}

function zshScript(name: string, commands: readonly CommandWords[]): string {
  /** In `_describe` and `_arguments` a colon and brackets have a meaning. */
  const plain = (text: string) => text.replace(/[:[\]\\]/g, '\\$&');
  const cases = commands.flatMap((command) => {
    const options = command.options.map(({ flag, description, takesValue, choices }) => {
      const value = choices.length === 0 ? ':file:_files' : `:value:(${choices.join(' ')})`;
      return quote(`*${flag}[${plain(description)}]${takesValue ? value : ''}`);
    });
    const rest = command.choices.length === 0 ? '*:file:_files' : `1:value:(${command.choices.join(' ')})`;
    return [
      `    ${command.name})`,
      '      _arguments \\',
      ...[...options, quote('--help[print the help of this command]')].map(
        (option) => `        ${option} \\`,
      ),
      `        ${quote(rest)} ;;`,
    ];
  });
  return [
    `#compdef ${name}`,
    `# zsh completion for ${name}: source <(${name} completion zsh)`,
    `_${name}() {`,
    '  local -a commands=(',
    ...commands.map((command) => `    ${quote(`${command.name}:${plain(command.description)}`)}`),
    '  )',
    '  if (( CURRENT == 2 )); then',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case "$words[1]" in',
    ...cases,
    "    help) _describe 'command' commands ;;",
    '  esac',
    '}',
    `compdef _${name} ${name}`,
  ].join('\n');
}

function fishScript(name: string, commands: readonly CommandWords[]): string {
  const lines = commands.flatMap((command) => {
    const here = `complete -c ${name} -n ${quote(`__fish_seen_subcommand_from ${command.name}`)}`;
    const choices = command.choices.length === 0 ? [] : [`${here} -f -a ${quote(command.choices.join(' '))}`];
    return [
      `complete -c ${name} -n __fish_use_subcommand -f -a ${command.name} -d ${quote(command.description)}`,
      ...choices,
      ...command.options.map((option) => `${here} ${fishOption(option)}`),
    ];
  });
  return [`# fish completion for ${name}: ${name} completion fish | source`, ...lines].join('\n');
}

function fishOption({ flag, description, takesValue, choices }: OptionWords): string {
  const long = flag.replace(/^--/, '');
  const value = choices.length === 0 ? ' -r -F' : ` -x -a ${quote(choices.join(' '))}`;
  return `-l ${long}${takesValue ? value : ''} -d ${quote(description)}`;
}
