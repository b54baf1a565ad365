import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { GITLAB_VARIABLES } from './runner-variables.js';
import { runnerEnvironment, runShell } from './shell-run.js';

/** A job of a GitLab CI file, in the members that this interpreter knows. */
export interface GitlabJob {
  readonly image?: string;
  readonly extends?: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly before_script?: readonly string[];
  readonly script: readonly string[];
  readonly rules?: readonly object[];
  readonly id_tokens?: Readonly<Record<string, { readonly aud: string }>>;
  readonly artifacts?: object;
}

const JOB_MEMBERS = [
  'image',
  'extends',
  'variables',
  'before_script',
  'script',
  'rules',
  'id_tokens',
  'artifacts',
];

/** Jobs, and hidden jobs, by name. */
type Pipeline = Readonly<Record<string, Partial<GitlabJob>>>;

/**
 * Reads a job with what it `extends`; a member that this interpreter would not honour is an error.
 *
 * @param texts of the files of the pipeline: those that are included, then the one that includes them
 */
export function readGitlabJob(texts: readonly string[], name: string): GitlabJob {
  // checkJob looks at what the interpreter depends on.
  const files = texts.map((text) => parse(text, { version: '1.2' }) as Pipeline);
  return checkJob(resolveJob(Object.assign({}, ...files), name));
}

function resolveJob(pipeline: Pipeline, name: string): Partial<GitlabJob> {
  const own = pipeline[name];
  if (own === undefined) throw new Error(`there is no job ${name}`);
  const base = own.extends === undefined ? {} : resolveJob(pipeline, own.extends);
  return { ...base, ...own, variables: { ...base.variables, ...own.variables } };
}

function checkJob(job: Partial<GitlabJob>): GitlabJob {
  const strange = Object.keys(job).filter((member) => !JOB_MEMBERS.includes(member));
  if (strange.length > 0) throw new Error(`the job has ${strange.join(', ')}`);
  const { script, variables = {} } = job;
  if (script === undefined) throw new Error('the job has no script');
  for (const [name, value] of Object.entries(variables)) {
    if (typeof value !== 'string') throw new Error(`the variable ${name} is no string`);
  }
  return { ...job, script, variables };
}

export interface GitlabRun {
  readonly exitCode: number | null;
  readonly log: string;
  /** What later jobs get as variables: the report `dotenv`. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Runs a job's script as GitLab's runner does: the lines one after another in one shell, which stops at the first
 * that fails. Variables of the project come over those of the job, whose values may name others.
 */
export async function runGitlabJob(
  job: GitlabJob,
  shell: 'bash' | 'dash',
  directory: string,
  variables: Readonly<Record<string, string>>,
): Promise<GitlabRun> {
  const options = shell === 'bash' ? 'set -eo pipefail' : 'set -e';
  const given = { ...runnerEnvironment(directory), ...GITLAB_VARIABLES, ...variables };
  const environment = { ...expandAll(job.variables, given), ...given };
  const { exitCode, log } = await runShell(
    [shell, '-c', [options, ...(job.before_script ?? []), ...job.script].join('\n')],
    directory,
    environment,
  );
  const dotenv = join(directory, 'vespid.env');
  return { exitCode, log, variables: exitCode === 0 && existsSync(dotenv) ? readDotenv(dotenv) : {} };
}

/** The runner expands `$NAME` in the values that the file gives, never in those of the project. */
function expandAll(
  values: Readonly<Record<string, string>>,
  known: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value.replace(/\$([A-Z_]+)/g, (_all, other: string) => known[other] ?? ''),
    ]),
  );
}

function readDotenv(file: string): Record<string, string> {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, value] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) throw new Error(`no variable: ${line}`);
      return [name, value] as const;
    }),
  );
}
