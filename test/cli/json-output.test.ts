import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyText, ROOT, runVespid, trustPolicyText, Workspace } from './run-vespid.js';

function schemaOf(command: string): (value: unknown) => unknown {
  const text = readFileSync(join(ROOT, `engine/cli/${command}-output.schema.json`), 'utf8');
  // ajv checks the schema itself; a required member without a description of it is a slip of the pen.
  const validate = new Ajv2020({ allErrors: true, strict: true, strictRequired: true }).compile(
    JSON.parse(text),
  );
  return (value) => {
    validate(value);
    return validate.errors ?? [];
  };
}

describe('the documented output', () => {
  const workspace = new Workspace();
  const bundle = workspace.path('edge.bundle');
  const trust = (name: string, text: string) => {
    writeFileSync(workspace.path(name), text);
    return workspace.path(name);
  };
  const jsonOf = async (...args: readonly string[]): Promise<unknown> =>
    JSON.parse((await runVespid(...args, '--json')).stdout);

  beforeAll(async () => {
    writeFileSync(workspace.path('p.yaml'), policyText({ effect: 'deny' }));
    for (const key of ['ci', 'stranger']) await runVespid('keygen', '--out', workspace.path(key));
    const signed = await runVespid(
      ...['sign', workspace.path('p.yaml'), '--key', workspace.path('ci.key'), '--out', bundle],
      ...['--bundle-version', '1.4.0'],
    );
    expect(signed.exitCode).toBe(0);
    mkdirSync(workspace.path('damaged'));
    cpSync(bundle, workspace.path('damaged'), { recursive: true });
    const blobs = workspace.path('damaged', 'blobs', 'sha256');
    const victim = join(blobs, readdirSync(blobs)[0] ?? '');
    const bytes = readFileSync(victim);
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    writeFileSync(victim, bytes);
  });
  afterAll(() => workspace[Symbol.dispose]());

  const audit = 'threshold: 1\nkeys:\n  - { id: ci, publicKey: ci.pub, may: { effects: [audit] } }\n';
  const head = 'apiVersion: vespid.dev/v1\nkind: TrustPolicy\n';

  it.each([
    ['an accepted bundle', () => [bundle, trust('t1.yaml', trustPolicyText('ci.pub'))], true],
    [
      'a stranger',
      () => [bundle, trust('t2.yaml', trustPolicyText('stranger.pub'))],
      'BUNDLE_SIGNER_UNKNOWN',
    ],
    [
      'a signer without the grant',
      () => [bundle, trust('t3.yaml', head + audit)],
      'BUNDLE_SIGNER_NOT_ENTITLED',
    ],
    [
      'a flipped byte',
      () => [workspace.path('damaged'), trust('t1.yaml', trustPolicyText('ci.pub'))],
      'BUNDLE_BLOB_DIGEST_MISMATCH',
    ],
    [
      'a missing bundle',
      () => [workspace.path('none'), trust('t1.yaml', trustPolicyText('ci.pub'))],
      'INPUT_NOT_FOUND',
    ],
    ['a faulty trust policy', () => [bundle, trust('t4.yaml', head)], 'TRUST_POLICY_INVALID'],
  ] as const)('of verify has its schema: %s', async (_name, args, expected) => {
    const [source = '', trustFile = ''] = args();
    const output = await jsonOf('verify', source, '--trust', trustFile);
    expect(schemaOf('verify')(output)).toEqual([]);
    expect(output).toMatchObject(expected === true ? { ok: true } : { ok: false, error: { code: expected } });
  });

  it('says what a signer may not, program by program', async () => {
    const output = await jsonOf('verify', bundle, '--trust', trust('t3.yaml', head + audit));
    expect(output).toMatchObject({
      bundle,
      error: {
        details: {
          decision: {
            accepted: false,
            signers: [
              {
                id: 'ci',
                standing: 'accepted',
                counted: false,
                missingGrants: expect.arrayContaining([
                  expect.objectContaining({ grant: 'effects', required: 'deny', allowed: ['audit'] }),
                ]),
              },
            ],
          },
        },
      },
    });
  });

  it('has the version of the bundle', async () => {
    const verified = await jsonOf('verify', bundle, '--trust', trust('t1.yaml', trustPolicyText('ci.pub')));
    expect(verified).toMatchObject({ version: '1.4.0', decision: { bundle: { version: '1.4.0' } } });
    expect(await jsonOf('inspect', bundle)).toMatchObject({ version: '1.4.0' });
  });

  it.each([
    ['a bundle', () => bundle, true],
    ['a damaged one', () => workspace.path('damaged'), false],
    ['none', () => workspace.path('none'), false],
  ] as const)('of inspect has its schema: %s', async (_name, source, ok) => {
    const output = await jsonOf('inspect', source());
    expect(schemaOf('inspect')(output)).toEqual([]);
    expect(output).toMatchObject({ ok });
  });

  it.each(['verify', 'inspect'])('of %s is no other object', (command) => {
    expect(schemaOf(command)({ ok: true })).not.toEqual([]);
    expect(schemaOf(command)({ ok: false })).not.toEqual([]);
    expect(schemaOf(command)({})).not.toEqual([]);
  });
});
