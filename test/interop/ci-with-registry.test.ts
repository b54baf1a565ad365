import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MAIN, policyText, ROOT, spawnVespid, trustPolicyText } from '../cli/run-vespid.js';
import { type ActionRun, runAction } from './composite-action.js';
import { DockerRegistry } from './docker-registry.js';
import { type GitlabRun, readGitlabJob, runGitlabJob } from './gitlab-job.js';

const COMMAND = `${process.execPath} ${MAIN}`;
const ACTION = join(ROOT, 'action.yml');
const TEMPLATE = readFileSync(join(ROOT, 'ci/gitlab/sign.yml'), 'utf8');
const TIMEOUT_MS = 120_000;
/** What the action builds itself from, when it is not given another Vespid. */
const BUILD_INPUTS = ['action.yml', 'package.json', 'package-lock.json', 'tsconfig.base.json'];
const SOURCE_FOLDERS = ['engine', 'lsm-hooks', 'policies', 'rules-mitre', 'signing'];

const ROWS: readonly (readonly [user: string, password: string])[] = [
  ['octocat', 'pass"word'],
  ['gitlab-ci-token', 'job token'],
];

/** The real program, and a registry that wants a login. */
describe('signing in CI and pushing to a registry', { timeout: TIMEOUT_MS }, () => {
  const home = mkdtempSync(join(tmpdir(), 'vespid-ci-'));
  const workspace = join(home, 'checkout');
  const keyPath = join(home, 'ci.key');
  const trust = join(home, 'trust.yaml');
  let registry: DockerRegistry;

  beforeAll(async () => {
    registry = await DockerRegistry.start({
      htpasswd: ROWS.map(([user, password]) => line(user, password)).join(''),
    });
    spawnVespid('keygen', '--out', join(home, 'ci'));
    writeFileSync(trust, trustPolicyText('ci.pub'));
  });
  beforeEach(() => {
    rmSync(workspace, { recursive: true, force: true });
    mkdirSync(workspace);
    writeFileSync(join(workspace, 'policy.yaml'), policyText());
  });
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    rmSync(home, { recursive: true, force: true });
  });

  const act = (inputs: Readonly<Record<string, string>>): Promise<ActionRun> =>
    runAction(ACTION, { workspace, inputs: { 'vespid-command': COMMAND, ...inputs } });

  const job = (variables: Readonly<Record<string, string>>): Promise<GitlabRun> =>
    runGitlabJob(readGitlabJob([TEMPLATE], '.vespid-sign'), 'dash', workspace, {
      ...{ VESPID_COMMAND: COMMAND, CI_REGISTRY: registry.host, CI_JOB_TOKEN: 'job token' },
      ...variables,
    });

  /** The digest of what a tag points to, by the registry. */
  async function digestAt(repository: string, tag: string): Promise<string | null> {
    const authorization = `Basic ${Buffer.from('octocat:pass"word').toString('base64')}`;
    const response = await fetch(`http://${registry.host}/v2/${repository}/manifests/${tag}`, {
      headers: { authorization, accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    await response.body?.cancel();
    return response.headers.get('docker-content-digest');
  }

  it('is what the GitHub action does', async () => {
    const ran = await act({
      ...{ paths: 'policy.yaml', image: `${registry.host}/acme/edge:1.4.0`, version: '1.4.0' },
      ...{
        key: readFileSync(keyPath, 'utf8'),
        'registry-username': 'octocat',
        'registry-password': 'pass"word',
      },
    });
    expect(ran.exitCode, ran.log).toBe(0);
    const { digest = '', reference, bundle = '' } = ran.outputs;
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(reference).toBe(`${registry.host}/acme/edge@${digest}`);
    expect(await digestAt('acme/edge', '1.4.0')).toBe(digest);
    const verified = spawnVespid('verify', bundle, '--trust', trust, '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, name: 'edge', version: '1.4.0', digest });
  });

  it('is what the GitLab job does', async () => {
    const ran = await job({
      ...{
        VESPID_PATHS: 'policy.yaml',
        VESPID_IMAGE: `${registry.host}/acme/lab:2.0.0`,
        VESPID_BUNDLE_VERSION: '2.0.0',
      },
      ...{ VESPID_SIGNING_KEY: Buffer.from(readFileSync(keyPath)).toString('base64') },
    });
    expect(ran.exitCode, ran.log).toBe(0);
    const { VESPID_DIGEST: digest } = ran.variables;
    expect(ran.variables['VESPID_REFERENCE']).toBe(`${registry.host}/acme/lab@${digest}`);
    expect(await digestAt('acme/lab', '2.0.0')).toBe(digest);
    expect(spawnVespid('verify', join(workspace, 'vespid-bundle'), '--trust', trust).exitCode).toBe(0);
  });

  it('fails when the registry refuses the login, and says so', async () => {
    const ran = await act({
      ...{ paths: 'policy.yaml', image: `${registry.host}/acme/edge:9`, key: readFileSync(keyPath, 'utf8') },
      ...{ 'registry-username': 'octocat', 'registry-password': 'wrong' },
    });
    expect(ran.exitCode).not.toBe(0);
    expect(ran.log).toMatch(/REGISTRY_[A-Z_]+: /);
    expect(ran.log).not.toContain('wrong');
    expect(ran.outputs['reference']).toBe('');
  });

  it.each([
    ['the action', async () => (await act({ paths: 'policy.yaml', name: 'edge' })).log],
    ['the job', async () => (await job({ VESPID_PATHS: 'policy.yaml', VESPID_BUNDLE_NAME: 'edge' })).log],
  ])('says that the secret is missing: %s', async (_name, run) => {
    expect(await run()).toMatch(/VESPID_SIGNING_KEY/);
  });

  it.each([
    ['the action', (name: string) => act({ paths: 'policy.yaml', name, key: readFileSync(keyPath, 'utf8') })],
    [
      'the job',
      (name: string) =>
        job({
          ...{ VESPID_PATHS: 'policy.yaml', VESPID_BUNDLE_NAME: name },
          ...{ VESPID_SIGNING_KEY: readFileSync(keyPath, 'utf8') },
        }),
    ],
  ])('runs nothing of a hostile bundle name: %s', async (_name, run) => {
    const ran = await run('"; touch pwned; "');
    expect(ran.exitCode).toBe(2);
    expect(ran.log).toContain('SIGN_NAME_INVALID');
    expect(readdirSync(workspace)).toEqual(['policy.yaml']);
  });

  it('builds the commit that it is pinned to when it is given no other Vespid', async () => {
    const pinned = join(home, 'pinned');
    mkdirSync(pinned);
    for (const path of [...BUILD_INPUTS, ...SOURCE_FOLDERS]) {
      cpSync(join(ROOT, path), join(pinned, path), { recursive: true });
    }
    const ran = await runAction(join(pinned, 'action.yml'), {
      workspace,
      inputs: { paths: 'policy.yaml', name: 'edge', key: readFileSync(keyPath, 'utf8') },
      // npm as this machine has it: another registry, for example.
      environment: {
        NPM_CONFIG_USERCONFIG: join(homedir(), '.npmrc'),
        NPM_CONFIG_CACHE: join(homedir(), '.npm'),
      },
    });
    expect(ran.exitCode, ran.log).toBe(0);
    expect(existsSync(join(pinned, 'dist/engine/cli/main.js'))).toBe(true);
    expect(spawnVespid('verify', ran.outputs['bundle'] ?? '', '--trust', trust).exitCode).toBe(0);
  });
});

/** Of an htpasswd file; docker-registry takes bcrypt alone. */
function line(user: string, password: string): string {
  const { stdout, error } = spawnSync('htpasswd', ['-niB', user], { input: password, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return `${stdout.trim()}\n`;
}
