import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../cli/run-vespid.js';
import { readGitlabJob, runGitlabJob } from './gitlab-job.js';
import { HOSTILE_TEXTS, RECORDED_DIGEST, RecordingVespid } from './recording-vespid.js';
import { shellcheck } from './shellcheck.js';

const TEMPLATE = readFileSync(join(ROOT, 'ci/gitlab/sign.yml'), 'utf8');
const KEYED = readGitlabJob([TEMPLATE], '.vespid-sign');
const KEYLESS = readGitlabJob([TEMPLATE], '.vespid-sign-keyless');
const SHELLS = ['dash', 'bash'] as const;

describe('ci/gitlab/sign.yml, as it is written', () => {
  it('has nothing that shellcheck finds', () => {
    const names = [...Object.keys(KEYED.variables), 'CI_REGISTRY', 'CI_JOB_TOKEN'];
    const script = [...(KEYED.before_script ?? []), ...KEYED.script].join('\n');
    expect(shellcheck(script, 'sh', names)).toBe('');
  });

  it('asks for an identity only to sign without a key', () => {
    expect(KEYED.id_tokens).toBeUndefined();
    expect(KEYLESS.id_tokens).toEqual({ SIGSTORE_ID_TOKEN: { aud: 'sigstore' } });
  });

  it('has no secret among its variables', () => {
    expect(Object.keys(KEYED.variables).filter((name) => /KEY$|PASS|TOKEN/.test(name))).toEqual([]);
  });

  it('takes the release of this package', () => {
    const manifest = readFileSync(join(ROOT, 'package.json'), 'utf8');
    expect(manifest).toContain(`"version": "${KEYED.variables['VESPID_RELEASE']}"`);
  });
});

describe.each(SHELLS)('the GitLab job, in %s', (shell) => {
  it('signs with a key and pushes with the token of the job', async () => {
    using vespid = new RecordingVespid();
    const ran = await runGitlabJob(KEYED, shell, vespid.workspace, {
      ...{ VESPID_COMMAND: vespid.command, VESPID_PATHS: 'policies\nvendor/a b.bpf.o' },
      ...{ VESPID_IMAGE: 'registry.example:5050/team/edge:1.4.0', VESPID_BUNDLE_VERSION: '1.4.0' },
      ...{ CI_REGISTRY: 'registry.example:5050', CI_JOB_TOKEN: 'to"ken', VESPID_SIGNING_KEY: 'secret' },
    });
    expect(ran).toMatchObject({
      exitCode: 0,
      variables: {
        VESPID_DIGEST: RECORDED_DIGEST,
        VESPID_REFERENCE: `registry.example:5050/team/edge@${RECORDED_DIGEST}`,
      },
    });
    expect(vespid.callsOf('sign').map(({ args }) => args)).toEqual([
      [
        ...['sign', '--out', 'vespid-bundle', '--provenance', 'auto', '--name', 'edge'],
        ...['--bundle-version', '1.4.0'],
        ...['--key-env', 'VESPID_SIGNING_KEY', '--', 'policies', 'vendor/a b.bpf.o'],
      ],
    ]);
    const auth = Buffer.from('gitlab-ci-token:to"ken').toString('base64');
    expect(vespid.callsOf('push')).toMatchObject([
      {
        args: ['push', '--', 'vespid-bundle', 'registry.example:5050/team/edge:1.4.0'],
        dockerConfig: JSON.stringify({ auths: { 'registry.example:5050': { auth } } }),
      },
    ]);
    expect(ran.log).not.toMatch(/secret|to"ken/);
  });

  it.each([
    ['of another registry', 'ghcr.io/acme/edge:1'],
    ['that only starts like it', 'registry.example.evil/edge:1'],
  ])('keeps the token of the job from an image %s', async (_name, image) => {
    using vespid = new RecordingVespid();
    const ran = await runGitlabJob(KEYED, shell, vespid.workspace, {
      ...{ VESPID_COMMAND: vespid.command, VESPID_PATHS: 'p', VESPID_IMAGE: image },
      ...{ CI_REGISTRY: 'registry.example', CI_JOB_TOKEN: 'token' },
    });
    expect(ran.exitCode).toBe(0);
    expect(vespid.callsOf('push')[0]?.dockerConfig).toBeUndefined();
  });

  it('signs without a key when keyless, and pushes nothing without an image', async () => {
    using vespid = new RecordingVespid();
    const ran = await runGitlabJob(KEYLESS, shell, vespid.workspace, {
      ...{ VESPID_COMMAND: vespid.command, VESPID_PATHS: 'p', VESPID_PROVENANCE: 'none' },
    });
    expect(ran).toMatchObject({ exitCode: 0, variables: { VESPID_DIGEST: RECORDED_DIGEST } });
    expect(vespid.callsOf('sign').map(({ args }) => args)).toEqual([
      ['sign', '--out', 'vespid-bundle', '--provenance', 'none', '--keyless', '--', 'p'],
    ]);
    expect(vespid.callsOf('push')).toEqual([]);
  });

  it('fails with the exit code of vespid and goes no further', async () => {
    using vespid = new RecordingVespid();
    const { exitCode } = await runGitlabJob(KEYED, shell, vespid.workspace, {
      ...{
        VESPID_COMMAND: vespid.command,
        VESPID_PATHS: 'p',
        VESPID_IMAGE: 'r/i:1',
        VESPID_SIGN_ARGS: '--fail',
      },
    });
    expect(exitCode).toBe(3);
    expect(vespid.callsOf('push')).toEqual([]);
  });

  it.each(HOSTILE_TEXTS)('hands every variable on as it is: %s', async (text) => {
    using vespid = new RecordingVespid();
    const ran = await runGitlabJob(KEYED, shell, vespid.workspace, {
      ...{ VESPID_COMMAND: vespid.command, VESPID_PATHS: text, VESPID_IMAGE: `r/${text}` },
      ...{ VESPID_BUNDLE_NAME: text, VESPID_BUNDLE_VERSION: text, VESPID_SIGNING_KEY: text },
      ...{
        VESPID_SIGN_ARGS: text,
        VESPID_PUSH_ARGS: text,
        VESPID_PROVENANCE: text,
        CI_REGISTRY: 'r',
        CI_JOB_TOKEN: text,
      },
    });
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(vespid.callsOf('sign')[0]).toMatchObject({
      args: [
        ...['sign', '--out', 'vespid-bundle', '--provenance', text, '--name', text],
        ...['--bundle-version', text],
        ...['--key-env', 'VESPID_SIGNING_KEY', text, '--', text],
      ],
      environment: { VESPID_SIGNING_KEY: text },
    });
    expect(vespid.callsOf('push')[0]?.args).toEqual(['push', text, '--', 'vespid-bundle', `r/${text}`]);
    expect(readdirSync(vespid.workspace)).toEqual(['vespid.env']);
  });
});
