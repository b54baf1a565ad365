import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { runnerEnvironment, runShell } from './shell-run.js';

/** A job of a GitLab CI file, in the members that this interpreter knows. */
export interface GitlabJob {
  readonly image?: string;
  readonly extends?: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly script: readonly string[];
  readonly id_tokens?: Readonly<Record<string, { readonly aud: string }>>;
  readonly artifacts?: object;
}

const JOB_MEMBERS = ['image', 'extends', 'variables', 'script', 'id_tokens', 'artifacts'];

/** Reads a job with what it `extends`; a member that this interpreter would not honour is an error. */
export function readGitlabJob(file: string, name: string): GitlabJob {
  // checkJob looks at what the interpreter depends on.
  const jobs = parse(readFileSync(file, 'utf8'), { version: '1.2' }) as Record<string, Partial<GitlabJob>>;
  const own = jobs[name];
  if (own === undefined) throw new Error(`${file} has no job ${name}`);
  const base = own.extends === undefined ? undefined : readGitlabJob(file, own.extends);
  return checkJob({ ...base, ...own, variables: { ...base?.variables, ...own.variables } });
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
 * that fails. Variables of the project come over those of the job.
 */
export async function runGitlabJob(
  job: GitlabJob,
  shell: 'bash' | 'dash',
  directory: string,
  variables: Readonly<Record<string, string>>,
): Promise<GitlabRun> {
  const options = shell === 'bash' ? 'set -eo pipefail' : 'set -e';
  const environment = { ...runnerEnvironment(directory), GITLAB_CI: 'true', ...job.variables, ...variables };
  const { exitCode, log } = await runShell(
    [shell, '-c', [options, ...job.script].join('\n')],
    directory,
    environment,
  );
  return { exitCode, log, variables: exitCode === 0 ? readDotenv(join(directory, 'vespid.env')) : {} };
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
