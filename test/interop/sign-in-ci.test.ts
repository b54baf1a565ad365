import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAIN, ROOT } from '../cli/run-vespid.js';
import { SARIF_STRUCTURE } from '../cli/verification-report/sarif-structure.js';
import { SigstoreServer } from '../signers/sigstore-server.js';
import { DockerRegistry } from './docker-registry.js';
import { type FencedBlock, fencedBlocks } from './fenced-blocks.js';
import { readGitlabJob, runGitlabJob } from './gitlab-job.js';
import { runnerEnvironment, runShell } from './shell-run.js';
import { readWorkflow, runWorkflow } from './workflow-job.js';

const PAGE = readFileSync(join(ROOT, 'docs/sign-in-ci.md'), 'utf8');
const TEMPLATE = readFileSync(join(ROOT, 'ci/gitlab/sign.yml'), 'utf8');
const BLOCKS = fencedBlocks(PAGE);
const COMMAND = `${process.execPath} ${MAIN}`;
/** The only thing in the page that a test cannot have. */
const REGISTRY_IN_PAGE = 'ghcr.io/acme';
const TAG = '1.4.0';
const TIMEOUT_MS = 120_000;

/** Stands in for `gh secret set NAME` and `glab variable set NAME`, which take the value from standard input. */
const SECRET_STORE = `#!/bin/sh\ncat > "$HOME/secrets/$3"\n`;

describe('docs/sign-in-ci.md', { timeout: TIMEOUT_MS }, () => {
  const home = mkdtempSync(join(tmpdir(), 'vespid-sign-in-ci-'));
  const workspace = join(home, 'checkout');
  const secret = (name: string) => readFileSync(join(home, 'secrets', name), 'utf8');
  let registry: DockerRegistry;
  let sigstore: SigstoreServer;
  let keylessBundle = '';

  beforeAll(async () => {
    [registry, sigstore] = await Promise.all([DockerRegistry.start(), SigstoreServer.start()]);
    for (const directory of ['bin', 'secrets', 'checkout']) mkdirSync(join(home, directory));
    addTool('vespid', `#!/bin/sh\nexec ${COMMAND} "$@"\n`);
    addTool('gh', SECRET_STORE);
    addTool('glab', SECRET_STORE);
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await sigstore[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  function addTool(name: string, script: string): void {
    writeFileSync(join(home, 'bin', name), script);
    chmodSync(join(home, 'bin', name), 0o755);
  }

  async function runCommands(script: string): Promise<void> {
    const environment = runnerEnvironment(home);
    const path = `${join(home, 'bin')}:${environment['PATH']}`;
    const { exitCode, log } = await runShell(['bash', '-euo', 'pipefail', '-c', script], workspace, {
      ...environment,
      PATH: path,
    });
    expect(exitCode, log).toBe(0);
  }

  async function runGithub(text: string): Promise<void> {
    const ran = await runWorkflow(readWorkflow(text), {
      workspace,
      vespidCommand: COMMAND,
      values: {
        'github.ref_name': TAG,
        'github.actor': 'octocat',
        'github.token': 'token',
        'secrets.VESPID_SIGNING_KEY': secret('VESPID_SIGNING_KEY'),
      },
      ...(text.includes('id-token: write') ? keyless() : {}),
    });
    expect(ran.exitCode, ran.log).toBe(0);
    keylessBundle = ran.action?.outputs['bundle'] ?? keylessBundle;
    for (const upload of ran.uploads) {
      const ajv = new Ajv();
      ajv.validate(SARIF_STRUCTURE, JSON.parse(upload));
      expect(ajv.errors).toBeNull();
    }
  }

  /** Where the mock is, as the public instance is known without. */
  function keyless() {
    const services = `--fulcio-url\n${sigstore.url}\n--rekor-url\n${sigstore.url}`;
    return { variables: sigstore.githubEnvironment, moreInputs: { 'sign-args': services } };
  }

  /** The trust policy of chapter 7, on what its workflow signed. */
  async function judgeKeyless(): Promise<void> {
    writeFileSync(join(workspace, 'trusted_root.json'), JSON.stringify(sigstore.sigstore.trustedRoot));
    await runCommands(`vespid verify '${keylessBundle}' --trust trust-keyless.yaml`);
  }

  async function runGitlab(text: string, job: string): Promise<void> {
    const ran = await runGitlabJob(readGitlabJob([TEMPLATE, text], job), 'bash', workspace, {
      CI_COMMIT_TAG: TAG,
      VESPID_COMMAND: COMMAND,
      VESPID_SIGNING_KEY: secret('VESPID_SIGNING_KEY'),
    });
    expect(ran.exitCode, ran.log).toBe(0);
  }

  async function run({ kind, text }: FencedBlock): Promise<void> {
    const here = text.replaceAll(REGISTRY_IN_PAGE, `${registry.host}/acme`);
    if (kind !== 'yaml') return runCommands(here);
    const path = pathOf(text);
    mkdirSync(dirname(join(workspace, path)), { recursive: true });
    writeFileSync(join(workspace, path), here);
    if (path.startsWith('.github/')) return runGithub(here);
    if (path === 'trust-keyless.yaml') return judgeKeyless();
    return runGitlab(here, text.includes('\ngate:') ? 'gate' : 'sign');
  }

  it.each(
    BLOCKS.filter(({ kind }) => kind !== 'text').map(
      (block, index) => [index + 1, block.heading, block] as const,
    ),
  )('block %i works: %s', (_index, _heading, block) => run(block));

  it('was run to its end', () => {
    expect(existsSync(join(workspace, 'vespid.sarif'))).toBe(true);
    expect(existsSync(join(workspace, 'vespid.xml'))).toBe(true);
  });
});

describe('what docs/sign-in-ci.md shows', () => {
  it('is of the kinds that the test knows; only `vespid run` stays untried, which the guests run', () => {
    const kinds = BLOCKS.map(({ kind }) => kind);
    expect([...new Set(kinds)].sort()).toEqual(['sh', 'sh github', 'sh gitlab', 'text', 'yaml']);
    const untried = BLOCKS.filter(({ kind }) => kind === 'text').map(({ text }) => text);
    for (const text of untried) expect(text).toMatch(/^vespid run /);
  });

  const workflows = BLOCKS.filter(({ kind, text }) => kind === 'yaml' && pathOf(text).startsWith('.github/'));

  it.each(workflows.map(({ text }) => [pathOf(text), readWorkflow(text)] as const))(
    'uses actions by their commit, and gives no permission that a job did not ask for: %s',
    (_path, workflow) => {
      expect(workflow.permissions).toEqual({});
      const uses = Object.values(workflow.jobs).flatMap(({ steps }) =>
        steps.flatMap((step) => step.uses ?? []),
      );
      for (const action of uses) expect(action).toMatch(/@([0-9a-f]{40}|COMMIT)$/);
      const scripts = Object.values(workflow.jobs).flatMap(({ steps }) =>
        steps.flatMap((step) => step.run ?? []),
      );
      for (const script of scripts) expect(script).not.toContain('${{');
    },
  );
});

/** The first line of a file's block is a comment with its path. */
function pathOf(text: string): string {
  const [, path] = /^# (\S+)\n/.exec(text) ?? [];
  if (path === undefined) throw new Error(`a block of YAML has no path: ${text.slice(0, 40)}`);
  return path;
}
