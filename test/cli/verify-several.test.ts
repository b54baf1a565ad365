import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { policyText, runVespid, trustPolicyText, Workspace } from './run-vespid.js';
import { readXml } from './verification-report/xml-reader.js';

describe('verify with several bundles', () => {
  const workspace = new Workspace();
  const [good, other, foreign] = ['good', 'other', 'foreign'].map((name) => workspace.path(name)) as [
    string,
    string,
    string,
  ];
  const missing = workspace.path('missing');
  const [trust, sarif, junit] = [
    workspace.path('trust.yaml'),
    workspace.path('sarif'),
    workspace.path('junit'),
  ];

  beforeAll(async () => {
    writeFileSync(workspace.path('p.yaml'), policyText());
    writeFileSync(trust, trustPolicyText('ci.pub'));
    for (const key of ['ci', 'stranger']) await runVespid('keygen', '--out', workspace.path(key));
    for (const [bundle, key] of [
      [good, 'ci'],
      [other, 'ci'],
      [foreign, 'stranger'],
    ] as const) {
      const { exitCode } = await runVespid(
        ...['sign', workspace.path('p.yaml'), '--key', workspace.path(`${key}.key`), '--out', bundle],
      );
      expect(exitCode).toBe(0);
    }
  });
  afterAll(() => workspace[Symbol.dispose]());

  const verify = (...args: readonly string[]) =>
    runVespid('verify', ...args, '--sarif', sarif, '--junit', junit, '--json');
  const linesOf = (stdout: string) =>
    stdout
      .trimEnd()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
  const sarifRun = () => (JSON.parse(readFileSync(sarif, 'utf8')) as { runs: [object] }).runs[0];

  it('prints a line for each and accepts when all are accepted', async () => {
    const { exitCode, stdout } = await verify(good, other, '--trust', trust);
    expect(exitCode).toBe(0);
    expect(linesOf(stdout)).toMatchObject([
      { ok: true, bundle: good },
      { ok: true, bundle: other },
    ]);
    expect(sarifRun()).toMatchObject({ results: [], invocations: [{ executionSuccessful: true }] });
    expect(readXml(readFileSync(junit, 'utf8')).attributes).toMatchObject({ tests: '2', failures: '0' });
  });

  it.each([
    ['a refusal between two good ones', () => [good, foreign, other], 3, [true, false, true]],
    ['a missing bundle before a refused one', () => [missing, foreign], 3, [false, false]],
    ['a missing bundle', () => [good, missing], 2, [true, false]],
  ] as const)('goes on after %s', async (_name, bundles, expectedExitCode, expected) => {
    const { exitCode, stdout, stderr } = await verify(...bundles(), '--trust', trust);
    expect({ exitCode, stderr }).toEqual({ exitCode: expectedExitCode, stderr: '' });
    expect(linesOf(stdout)).toMatchObject(
      bundles().map((bundle, index) => ({ ok: expected[index], bundle })),
    );
    expect(readXml(readFileSync(junit, 'utf8')).attributes).toMatchObject({
      tests: String(bundles().length),
    });
  });

  it('writes refusals to both files', async () => {
    await verify(good, foreign, '--trust', trust);
    expect(sarifRun()).toMatchObject({ results: [{ ruleId: 'BUNDLE_SIGNER_UNKNOWN' }] });
    const [suite] = readXml(readFileSync(junit, 'utf8')).children;
    expect(
      suite?.children.map(({ attributes, children }) => [attributes['name'], children[0]?.name]),
    ).toEqual([
      [good, 'system-out'],
      [foreign, 'failure'],
    ]);
  });

  it('tells people on both streams', async () => {
    const { stdout, stderr } = await runVespid('verify', foreign, good, '--trust', trust);
    expect(stdout).toContain(good);
    expect(stderr.startsWith(`${foreign}: BUNDLE_SIGNER_UNKNOWN: `)).toBe(true);
    const alone = await runVespid('verify', foreign, '--trust', trust);
    expect(alone.stderr).toMatch(/^BUNDLE_SIGNER_UNKNOWN: /);
  });

  it('says a fault of the trust policy once, and writes it for every bundle', async () => {
    const broken = workspace.path('broken.yaml');
    writeFileSync(broken, trustPolicyText('ci.pub').replace('threshold: 1', 'threshold: none'));
    const { exitCode, stdout } = await verify(good, other, '--trust', broken);
    expect(exitCode).toBe(1);
    expect(linesOf(stdout)).toMatchObject([{ ok: false, error: { code: 'TRUST_POLICY_INVALID', line: 3 } }]);
    expect(sarifRun()).toMatchObject({
      results: [{ ruleId: 'TRUST_POLICY_INVALID' }],
      invocations: [{ executionSuccessful: false }],
    });
    expect(readXml(readFileSync(junit, 'utf8')).attributes).toMatchObject({ tests: '2', errors: '2' });
  });

  it('fails when a file cannot be written, but a refusal stays one', async () => {
    const nowhere = workspace.path('no', 'such', 'file');
    const failed = await runVespid('verify', good, '--trust', trust, '--sarif', nowhere);
    expect(failed).toMatchObject({ exitCode: 2 });
    expect(failed.stderr).toMatch(/^INPUT_NOT_FOUND: /);
    const refused = await runVespid('verify', foreign, '--trust', trust, '--sarif', nowhere);
    expect(refused.exitCode).toBe(3);
    expect(existsSync(nowhere)).toBe(false);
  });

  it('writes nothing when it is called wrongly', async () => {
    rmSync(sarif, { force: true });
    expect((await runVespid('verify', good, '--sarif', sarif)).exitCode).toBe(2);
    expect(existsSync(sarif)).toBe(false);
  });
});
