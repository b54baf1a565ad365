import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../cli/run-vespid.js';
import { interpolate } from './action-expression.js';
import { type ActionRun, runAction } from './composite-action.js';
import { runnerEnvironment, runShell } from './shell-run.js';

/** A GitHub workflow, in the members that this interpreter knows. */
export interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<
    Record<string, { readonly permissions: object; readonly steps: readonly WorkflowStep[] }>
  >;
}

export interface WorkflowStep {
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, string>>;
}

export interface WorkflowRun {
  readonly exitCode: number | null;
  readonly log: string;
  /** What the action of this repository gave. */
  readonly action: ActionRun | undefined;
  /** Files that went to code scanning. */
  readonly uploads: readonly string[];
}

export interface WorkflowEnvironment {
  readonly workspace: string;
  readonly vespidCommand: string;
  /** Of expressions: `github.ref_name`, `secrets.KEY`. */
  readonly values: Readonly<Record<string, string>>;
  /** Of the job, beside what every runner has. */
  readonly variables?: Readonly<Record<string, string>>;
  /** Inputs for the action of this repository that a test needs and a page does not have. */
  readonly moreInputs?: Readonly<Record<string, string>>;
}

const ALWAYS = '${' + '{ always() }}';

/** Only this test's own text decides what it is. */
export function readWorkflow(text: string): Workflow {
  return parse(text, { version: '1.2' }) as Workflow;
}

/** Runs the only job of a workflow; actions of others are stood in for, those that the interpreter does not know throw. */
export async function runWorkflow(
  workflow: Workflow,
  environment: WorkflowEnvironment,
): Promise<WorkflowRun> {
  const [job, ...others] = Object.values(workflow.jobs);
  if (job === undefined || others.length > 0) throw new Error('a workflow with one job was expected');
  let run: WorkflowRun = { exitCode: 0, log: '', action: undefined, uploads: [] };
  for (const step of job.steps) {
    if (run.exitCode !== 0 && step.if !== ALWAYS) continue;
    const inputs = Object.fromEntries(
      Object.entries(step.with ?? {}).map(([name, text]) => [
        name,
        interpolate(String(text), { inputs: {}, steps: {}, values: environment.values }),
      ]),
    );
    const done = await runStep(step, inputs, environment, run);
    const log = run.log + done.log;
    run = { ...run, ...done, log, exitCode: run.exitCode === 0 ? done.exitCode : run.exitCode };
  }
  return run;
}

async function runStep(
  { uses, run: script }: WorkflowStep,
  inputs: Readonly<Record<string, string>>,
  { workspace, vespidCommand, variables = {}, moreInputs = {} }: WorkflowEnvironment,
  before: WorkflowRun,
): Promise<Partial<WorkflowRun> & Pick<WorkflowRun, 'exitCode' | 'log'>> {
  if (script !== undefined) {
    const { PATH = '', ...runner } = runnerEnvironment(workspace);
    const path = [...(before.action?.path ?? []), PATH].join(':');
    // Without `shell` the runner uses `bash -e`.
    return runShell(['bash', '-e', '-c', script], workspace, { ...runner, PATH: path });
  }
  switch (uses?.split('@')[0]) {
    case 'actions/checkout':
      return { exitCode: 0, log: '' };
    case 'github/codeql-action/upload-sarif':
      return {
        exitCode: 0,
        log: '',
        uploads: [...before.uploads, readFileSync(join(workspace, inputs['sarif_file'] ?? ''), 'utf8')],
      };
    case 'vespid/vespid': {
      const action = await runAction(join(ROOT, 'action.yml'), {
        workspace,
        inputs: { ...inputs, ...moreInputs, 'vespid-command': vespidCommand },
        environment: variables,
      });
      return { exitCode: action.exitCode, log: action.log, action };
    }
    default:
      throw new Error(`the interpreter has no action ${uses}`);
  }
}
