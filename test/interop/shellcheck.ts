import { spawnSync } from 'node:child_process';

/**
 * What shellcheck finds in a script.
 *
 * @param environment names of the variables that the script gets, so that they do not count as unset
 * @returns nothing when there is nothing to find
 */
export function shellcheck(script: string, shell: 'bash' | 'sh', environment: readonly string[]): string {
  const declarations = environment.map((name) => `export ${name}="${'$'}{${name}?}"`);
  const { status, stdout, stderr, error } = spawnSync(
    'shellcheck',
    [`--shell=${shell}`, '--format=gcc', '--enable=quote-safe-variables', '-'],
    { input: [...declarations, script].join('\n'), encoding: 'utf8' },
  );
  if (error !== undefined) throw error;
  if (status === 0 || status === 1) return stdout;
  throw new Error(`shellcheck could not judge: ${stderr}`);
}
