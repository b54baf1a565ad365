/** What stands below the options in a command's help. */
export interface HelpNotes {
  /** Command lines, each with what it does. */
  readonly examples: readonly (readonly [commandLine: string, meaning: string])[];
  /** The members of the object that `--json` prints. */
  readonly json?: string;
}

/** For `command.addHelpText('after', …)`. */
export function helpNotes({ examples, json }: HelpNotes): string {
  const exampleLines = examples.flatMap(([commandLine, meaning]) => [`  # ${meaning}`, `  ${commandLine}`]);
  const jsonLines = json === undefined ? [] : ['', 'JSON (--json):', ...indent(json)];
  return ['', 'Examples:', ...exampleLines, ...jsonLines].join('\n');
}

function indent(text: string): string[] {
  return text
    .trim()
    .split('\n')
    .map((line) => `  ${line}`);
}
