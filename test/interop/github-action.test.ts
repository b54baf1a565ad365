import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from '../cli/run-vespid.js';
import { type ActionRun, readAction, runAction } from './composite-action.js';
import { HOSTILE_TEXTS, RECORDED_DIGEST, RecordingVespid } from './recording-vespid.js';
import { shellcheck } from './shellcheck.js';

const ACTION = join(ROOT, 'action.yml');
const { inputs, outputs, runs } = readAction(ACTION);

function run(vespid: RecordingVespid, given: Readonly<Record<string, string>>): Promise<ActionRun> {
  const withCommand = { 'vespid-command': vespid.command, ...given };
  return runAction(ACTION, { workspace: vespid.workspace, inputs: withCommand });
}

describe('action.yml, as it is written', () => {
  it.each(runs.steps.map((step) => [step.name, step] as const))(
    'has no expression in the script of: %s',
    (_name, step) => {
      expect(step.run).not.toContain('${{');
    },
  );

  it.each(runs.steps.map((step) => [step.name, step] as const))(
    'stops at the first failure in: %s',
    (_name, step) => {
      expect(step.run.split('\n')[0]).toBe('set -euo pipefail');
    },
  );

  it.each(runs.steps.map((step) => [step.name, step] as const))(
    'has nothing that shellcheck finds in: %s',
    (_name, step) => {
      expect(shellcheck(step.run, 'bash', Object.keys(step.env))).toBe('');
    },
  );

  it('gives a secret to the one step that needs it', () => {
    const stepsWith = (input: string) =>
      runs.steps.filter(({ env }) => Object.values(env).some((text) => text.includes(`inputs.${input} `)));
    expect(stepsWith('key').map(({ id }) => id)).toEqual(['sign']);
    expect(stepsWith('key-passphrase').map(({ id }) => id)).toEqual(['sign']);
    expect(stepsWith('registry-password').map(({ id }) => id)).toEqual(['push']);
  });

  it('uses every input, and describes inputs and outputs', () => {
    const expressions = JSON.stringify(runs.steps);
    for (const [name, { description }] of Object.entries(inputs)) {
      expect(expressions).toMatch(new RegExp(`inputs\\.${name}[ =!]`));
      expect(description).toMatch(/^\S/);
    }
    for (const { description } of Object.values(outputs)) expect(description).toMatch(/^\S/);
  });
});

describe('the GitHub action', () => {
  it('signs with a key and pushes', async () => {
    using vespid = new RecordingVespid();
    const ran = await run(vespid, {
      paths: 'policies\nvendor/a b.bpf.o\n',
      image: '127.0.0.1:5000/team/edge:1.4.0',
      version: '1.4.0',
      key: '-----BEGIN PRIVATE KEY-----\nsecret\n',
      'key-passphrase': 'pass',
      'sign-args': '--verbose\n',
    });
    expect(ran).toMatchObject({ exitCode: 0 });
    const [sign, push] = [vespid.callsOf('sign'), vespid.callsOf('push')];
    const bundle = ran.outputs['bundle'] ?? '';
    expect(sign.map(({ args }) => args)).toEqual([
      [
        ...['sign', '--out', bundle, '--provenance', 'auto', '--name', 'edge', '--bundle-version', '1.4.0'],
        ...['--key-env', 'VESPID_SIGNING_KEY', '--verbose', '--', 'policies', 'vendor/a b.bpf.o'],
      ],
    ]);
    expect(sign[0]?.environment).toEqual({
      VESPID_SIGNING_KEY: '-----BEGIN PRIVATE KEY-----\nsecret\n',
      VESPID_PASSPHRASE: 'pass',
    });
    expect(push).toEqual([
      { args: ['push', '--', bundle, '127.0.0.1:5000/team/edge:1.4.0'], environment: {} },
    ]);
    expect(ran.outputs).toEqual({
      digest: RECORDED_DIGEST,
      reference: `127.0.0.1:5000/team/edge@${RECORDED_DIGEST}`,
      bundle,
    });
    expect(ran.summary).toContain(`127.0.0.1:5000/team/edge@${RECORDED_DIGEST}`);
    expect(ran.log).not.toContain('secret');
  });

  it('signs without a key when keyless, and without provenance when told so', async () => {
    using vespid = new RecordingVespid();
    await run(vespid, { paths: 'p', name: 'edge', keyless: 'true', provenance: 'none', out: 'here' });
    expect(vespid.callsOf('sign').map(({ args }) => args)).toEqual([
      ['sign', '--out', 'here', '--provenance', 'none', '--name', 'edge', '--keyless', '--', 'p'],
    ]);
    expect(vespid.callsOf('push')).toEqual([]);
  });

  it('logs in with a configuration of its own, which is gone afterwards', async () => {
    using vespid = new RecordingVespid();
    const image = 'ghcr.io/acme/edge:1';
    await run(vespid, { paths: 'p', image, 'registry-username': 'me', 'registry-password': 'a"b\\c' });
    const auth = Buffer.from('me:a"b\\c').toString('base64');
    expect(vespid.callsOf('push')[0]?.dockerConfig).toBe(JSON.stringify({ auths: { 'ghcr.io': { auth } } }));
    const left = readdirSync(join(vespid.workspace, '..'), { recursive: true, encoding: 'utf8' });
    expect(left.filter((path) => path.endsWith('config.json'))).toEqual([]);
  });

  it('only puts vespid on the PATH when there is nothing to sign', async () => {
    using vespid = new RecordingVespid();
    const { exitCode, path, outputs: given } = await run(vespid, {});
    expect({ exitCode, count: path.length, given }).toEqual({
      exitCode: 0,
      count: 1,
      given: { digest: '', reference: '', bundle: '' },
    });
    expect(vespid.calls().map(({ args }) => args)).toEqual([['--version']]);
  });

  it('fails with the exit code of vespid and goes no further', async () => {
    using vespid = new RecordingVespid();
    const { exitCode } = await run(vespid, { paths: 'p', image: 'r.example/i:1', 'sign-args': '--fail' });
    expect(exitCode).toBe(3);
    expect(vespid.callsOf('push')).toEqual([]);
  });

  it.each(['latest', '^0.1.0', '0.1', 'npm:evil@1.0.0', '1.0.0 --registry=http://x', '../x'])(
    'takes no version that could become another: %s',
    async (version) => {
      using vespid = new RecordingVespid();
      const ran = await run(vespid, { 'vespid-command': '', 'vespid-version': version });
      expect(ran).toMatchObject({ exitCode: 2 });
      expect(ran.log).toMatch(/^::error title=Vespid::vespid-version has to be an exact version/);
    },
  );

  it.each([
    ['an old Node', '#!/bin/sh\nexit 1\n'],
    ['a Node that does not start', 'no program'],
  ])('says what it needs when it finds %s', async (_name, script) => {
    using vespid = new RecordingVespid();
    const tools = join(vespid.workspace, '..', 'tools');
    mkdirSync(tools);
    writeFileSync(join(tools, 'node'), script, { mode: 0o755 });
    const environment = { PATH: `${tools}:/usr/bin:/bin` };
    const ran = await runAction(ACTION, { workspace: vespid.workspace, inputs: {}, environment });
    expect(ran.exitCode).toBe(2);
    expect(ran.log).toContain('::error title=Vespid::Node 20.19 or later is needed');
  });

  it.each(['\n', '\r'])('lets a path make no outputs of its own: %j', async (end) => {
    using vespid = new RecordingVespid();
    const ran = await run(vespid, { paths: 'p', out: `here${end}digest=sha256:evil` });
    expect(ran.exitCode).toBe(2);
    expect(ran.log).toMatch(/^::error title=Vespid::out has to be one path/m);
    expect(vespid.callsOf('sign')).toEqual([]);
    expect(ran.outputs['digest']).toBe('');
  });

  it.each(HOSTILE_TEXTS)('hands every input on as it is: %s', async (text) => {
    using vespid = new RecordingVespid();
    const image = `r.example/${text}`;
    const ran = await run(vespid, {
      ...{
        paths: text,
        image,
        name: text,
        version: text,
        out: `x${text}`,
        key: text,
        provenance: text,
        'key-passphrase': text,
      },
      ...{ 'sign-args': text, 'push-args': text, 'registry-username': text, 'registry-password': text },
    });
    expect(ran).toMatchObject({ exitCode: 0 });
    expect(vespid.callsOf('sign')[0]).toMatchObject({
      args: [
        ...['sign', '--out', `x${text}`, '--provenance', text, '--name', text, '--bundle-version', text],
        ...['--key-env', 'VESPID_SIGNING_KEY', text, '--', text],
      ],
      environment: { VESPID_SIGNING_KEY: text, VESPID_PASSPHRASE: text },
    });
    expect(vespid.callsOf('push')[0]?.args).toEqual(['push', text, '--', `x${text}`, image]);
    expect(readdirSync(vespid.workspace)).toEqual([]);
  });
});
