import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { type ExpressionContext, evaluateExpression, interpolate } from './action-expression.js';
import { readCommandFile } from './command-file.js';
import { GITHUB_VARIABLES } from './runner-variables.js';
import { runnerEnvironment, runShell } from './shell-run.js';

/** A composite action, in the members that this interpreter knows; see `checkForm`. */
export interface CompositeAction {
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly outputs: Readonly<Record<string, { readonly description: string; readonly value: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly CompositeStep[] };
}

export interface CompositeStep {
  readonly name: string;
  readonly id: string;
  readonly if?: string;
  readonly shell: string;
  readonly env: Readonly<Record<string, string>>;
  readonly run: string;
}

export interface ActionRun {
  readonly exitCode: number | null;
  readonly log: string;
  readonly outputs: Readonly<Record<string, string>>;
  /** What the steps wrote for the page of the run. */
  readonly summary: string;
  /** Directories that later steps of the job have on their PATH. */
  readonly path: readonly string[];
}

export interface ActionJob {
  /** The checkout, in a directory that takes the runner's temporary one, too. */
  readonly workspace: string;
  /** What the workflow has under `with`. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Beside what every runner has: ACTIONS_ID_TOKEN_REQUEST_URL, for example. */
  readonly environment?: Readonly<Record<string, string>>;
}

const STEP_MEMBERS = ['name', 'id', 'if', 'shell', 'env', 'run'];

/** Reads an action; what this interpreter would not run as GitHub's runner does is an error. */
export function readAction(file: string): CompositeAction {
  // checkForm looks at what the interpreter depends on.
  const action = parse(readFileSync(file, 'utf8'), { version: '1.2' }) as CompositeAction;
  checkForm(action);
  return action;
}

function checkForm({ runs, inputs }: CompositeAction): void {
  if (runs.using !== 'composite') throw new Error(`the action is ${runs.using}`);
  for (const { default: text } of Object.values(inputs)) {
    if (typeof text !== 'string') throw new Error('a default of an input is no string');
  }
  for (const step of runs.steps) {
    const strange = Object.keys(step).filter((member) => !STEP_MEMBERS.includes(member));
    if (strange.length > 0) throw new Error(`a step has ${strange.join(', ')}`);
    if (step.shell !== 'bash') throw new Error(`${step.id} runs in ${step.shell}`);
  }
}

/** Runs the steps in order, each with the command line of GitHub's runner for `shell: bash`, until one fails. */
export async function runAction(file: string, job: ActionJob): Promise<ActionRun> {
  const action = readAction(file);
  // A space, because self-hosted runners have such paths.
  const temporary = mkdtempSync(join(job.workspace, '..', 'runner temp-'));
  const runner: Record<string, string> = {
    ...runnerEnvironment(temporary),
    ...GITHUB_VARIABLES,
    GITHUB_WORKSPACE: job.workspace,
    GITHUB_ACTION_PATH: dirname(file),
    RUNNER_TEMP: temporary,
    ...job.environment,
  };
  const steps: Record<string, Record<string, string>> = {};
  const context: ExpressionContext = { inputs: inputsOf(action, job.inputs), steps };
  let log = '';
  let summary = '';
  let path: string[] = [];
  let exitCode: number | null = 0;
  for (const step of action.runs.steps) {
    if (step.if !== undefined && evaluateExpression(unwrap(step.if), context) !== true) continue;
    const files = new CommandFiles(temporary);
    const environment = {
      ...runner,
      PATH: [...path, runner['PATH']].join(':'),
      ...files.environment,
      ...mapValues(step.env, (text) => interpolate(text, context)),
    };
    writeFileSync(files.script, step.run);
    const ran = await runShell(
      ['bash', '--noprofile', '--norc', '-eo', 'pipefail', files.script],
      job.workspace,
      environment,
    );
    ({ exitCode } = ran);
    log += ran.log;
    summary += files.read('SUMMARY');
    path = [...files.read('PATH').split('\n').filter(Boolean), ...path];
    steps[step.id] = readCommandFile(files.read('OUTPUT'));
    if (exitCode !== 0) break;
  }
  const outputs = mapValues(action.outputs, ({ value }) => interpolate(value, context));
  return { exitCode, log, outputs, summary, path };
}

/** The runner lower-cases nothing and warns about unknown inputs; a test had better not have any. */
function inputsOf(action: CompositeAction, given: Readonly<Record<string, string>>): Record<string, string> {
  const unknown = Object.keys(given).filter((name) => !(name in action.inputs));
  if (unknown.length > 0) throw new Error(`the action has no input ${unknown.join(', ')}`);
  return mapValues(action.inputs, (input, name) => given[name] ?? input.default);
}

function mapValues<Value>(
  record: Readonly<Record<string, Value>>,
  map: (value: Value, name: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value, name)]));
}

function unwrap(condition: string): string {
  return condition.replace(/^\$\{\{(.*)\}\}$/s, '$1');
}

/** The files by which a step tells the runner something; new for every step. */
class CommandFiles {
  static #count = 0;
  readonly #prefix: string;

  constructor(directory: string) {
    CommandFiles.#count += 1;
    this.#prefix = join(directory, `step-${CommandFiles.#count}`);
    for (const path of Object.values(this.environment)) writeFileSync(path, '');
  }

  get script(): string {
    return `${this.#prefix}.sh`;
  }

  get environment(): Record<string, string> {
    return {
      GITHUB_OUTPUT: `${this.#prefix}.OUTPUT`,
      GITHUB_PATH: `${this.#prefix}.PATH`,
      GITHUB_STEP_SUMMARY: `${this.#prefix}.SUMMARY`,
    };
  }

  read(kind: 'OUTPUT' | 'PATH' | 'SUMMARY'): string {
    return readFileSync(`${this.#prefix}.${kind}`, 'utf8');
  }
}
