import type { Argument, Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** What can follow one command. Everything else is a path, which the shells complete by themselves. */
interface CommandWords {
  /** Words behind the program's name: `trust add key`. */
  readonly path: string;
  /** The last of them. */
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** Values that a positional argument can have, or the names of subcommands. */
  readonly choices: readonly string[];
  readonly subcommands: readonly CommandWords[];
}

interface OptionWords {
  readonly flag: string;
  readonly description: string;
  readonly takesValue: boolean;
  readonly choices: readonly string[];
}

/** A completion script for a program, and the groups of commands in it. Pure. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = program.commands.map((command) => wordsOf(command, []));
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

function wordsOf(command: Command, groups: readonly string[]): CommandWords {
  const path = [...groups, command.name()];
  const subcommands = command.commands.map((subcommand) => wordsOf(subcommand, path));
  return {
    path: path.join(' '),
    name: command.name(),
    description: command.description(),
    options: command.options.flatMap(optionWords),
    choices: [
      ...command.registeredArguments.flatMap((argument: Argument) => argument.argChoices ?? []),
      ...subcommands.map(({ name }) => name),
    ],
    subcommands,
  };
}

/** The commands and, behind each group, those in it. */
function withSubcommands(commands: readonly CommandWords[]): readonly CommandWords[] {
  return commands.flatMap((command) => [command, ...withSubcommands(command.subcommands)]);
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

const BASH_FILES = 'mapfile -t COMPREPLY < <(compgen -f -- "$current")';

/** Files are what is offered unless something else is known. */
function bashScript(name: string, topCommands: readonly CommandWords[]): string {
  const commands = withSubcommands(topCommands);
  const choices = commands.flatMap((command) =>
    command.options
      .filter((option) => option.choices.length > 0)
      .map((option) => `    "${command.path} ${option.flag}") ${bashWords(option.choices)}; return ;;`),
  );
  const commandNames = topCommands.map((command) => command.name);
  return [
    `# bash completion for ${name}: source <(${name} completion bash)`,
    `_${name}() {`,
    `  local command="\${COMP_WORDS[1]}" current=$2 previous=$3 at`,
    '  if [[ $COMP_CWORD -eq 1 ]]; then',
    `    ${bashWords([...commandNames, 'help', '--help', '--version'])}`,
    '    return',
    '  fi',
    '  for ((at = 2; at < COMP_CWORD; at++)); do',
    `    case "$command \${COMP_WORDS[at]}" in`,
    ...bashSubcommandCase(commands),
    '      *) break ;;',
    '    esac',
    '  done',
    '  case "$command $previous" in',
    ...choices,
    '  esac',
    '  case "$command $current" in',
    ...commands.map(
      ({ path, options }) =>
        `    "${path} -"*) ${bashWords([...options.map(({ flag }) => flag), '--help'])} ;;`,
    ),
    // The longer path first: "trust "* fits what follows "trust show", too.
    ...commands
      .filter(({ path, choices: words }) => words.length > 0 || path.includes(' '))
      .sort((left, right) => right.path.length - left.path.length)
      .map(
        ({ path, choices: words }) =>
          `    "${path} "*) ${words.length > 0 ? bashWords(words) : BASH_FILES} ;;`,
      ),
    `    "help "*) ${bashWords(commandNames)} ;;`,
    `    *) ${BASH_FILES} ;;`,
    '  esac',
    '}',
    `complete -o filenames -F _${name} ${name}`,
  ].join('\n');
}

/** The row of a `case` that takes a subcommand into the path of the command that is being typed. */
function bashSubcommandCase(commands: readonly CommandWords[]): readonly string[] {
  const paths = commands.filter(({ path }) => path.includes(' ')).map(({ path }) => `"${path}"`);
  return paths.length === 0 ? [] : [`      ${paths.join('|')}) command="$command \${COMP_WORDS[at]}" ;;`];
}

function bashWords(words: readonly string[]): string {
  return `COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$current"))`;
}

function zshScript(name: string, commands: readonly CommandWords[]): string {
  return [
    `#compdef ${name}`,
    `# zsh completion for ${name}: source <(${name} completion zsh)`,
    ...zshFunction(`_${name}`, commands, ["    help) _describe 'command' commands ;;"]),
    `compdef _${name} ${name}`,
  ].join('\n');
}

/** One function for a level of commands, behind those of the groups in it. */
function zshFunction(
  functionName: string,
  commands: readonly CommandWords[],
  furtherCases: readonly string[],
): readonly string[] {
  const groups = commands.filter(({ subcommands }) => subcommands.length > 0);
  const nameOf = (group: CommandWords) => `${functionName}_${group.name}`;
  return [
    ...groups.flatMap((group) => zshFunction(nameOf(group), group.subcommands, [])),
    `${functionName}() {`,
    '  local -a commands=(',
    ...commands.map((command) => `    ${quote(`${command.name}:${zshPlain(command.description)}`)}`),
    '  )',
    '  if (( CURRENT == 2 )); then',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case "$words[1]" in',
    ...commands.flatMap((command) =>
      command.subcommands.length > 0 ? [`    ${command.name}) ${nameOf(command)} ;;`] : zshCase(command),
    ),
    ...furtherCases,
    '  esac',
    '}',
  ];
}

/** In `_describe` and `_arguments` a colon and brackets have a meaning. */
function zshPlain(text: string): string {
  return text.replace(/[:[\]\\]/g, '\\$&');
}

function zshCase(command: CommandWords): readonly string[] {
  const options = command.options.map(({ flag, description, takesValue, choices }) => {
    const value = choices.length === 0 ? ':file:_files' : `:value:(${choices.join(' ')})`;
    return quote(`*${flag}[${zshPlain(description)}]${takesValue ? value : ''}`);
  });
  const rest = command.choices.length === 0 ? '*:file:_files' : `1:value:(${command.choices.join(' ')})`;
  return [
    `    ${command.name})`,
    '      _arguments \\',
    ...[...options, quote('--help[print the help of this command]')].map((option) => `        ${option} \\`),
    `        ${quote(rest)} ;;`,
  ];
}

function fishScript(name: string, commands: readonly CommandWords[]): string {
  const lines = commands.flatMap((command) => fishLines(name, command, '__fish_use_subcommand'));
  return [`# fish completion for ${name}: ${name} completion fish | source`, ...lines].join('\n');
}

/** @param before the condition under which the command's own name is offered */
function fishLines(name: string, command: CommandWords, before: string): readonly string[] {
  const chosen = command.path
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
  const here = `complete -c ${name} -n ${quote(chosen)}`;
  const plainChoices = command.subcommands.length > 0 ? [] : command.choices;
  const choices = plainChoices.length === 0 ? [] : [`${here} -f -a ${quote(plainChoices.join(' '))}`];
  const none = command.subcommands.map((subcommand) => subcommand.name).join(' ');
  return [
    `complete -c ${name} -n ${quote(before)} -f -a ${command.name} -d ${quote(command.description)}`,
    ...choices,
    ...command.options.map((option) => `${here} ${fishOption(option)}`),
    ...command.subcommands.flatMap((subcommand) =>
      fishLines(name, subcommand, `${chosen}; and not __fish_seen_subcommand_from ${none}`),
    ),
  ];
}

function fishOption({ flag, description, takesValue, choices }: OptionWords): string {
  const long = flag.replace(/^--/, '');
  const value = choices.length === 0 ? ' -r -F' : ` -x -a ${quote(choices.join(' '))}`;
  return `-l ${long}${takesValue ? value : ''} -d ${quote(description)}`;
}
