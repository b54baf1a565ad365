import { Ajv } from 'ajv';
import type { Run } from 'sarif';
import { describe, expect, it } from 'vitest';
import type { JudgedBundle } from '../../../engine/cli/verification-report/judged-bundle.js';
import { renderSarif } from '../../../engine/cli/verification-report/sarif-log.js';
import { ERROR_CODES } from '../../../engine/errors/index.js';
import { ACCEPTED, BAD_TRUST, NOT_ENTITLED, NOT_FOUND, REFUSED, SAMPLES } from './sample-verdicts.js';
import { SARIF_STRUCTURE } from './sarif-structure.js';

const CONTEXT = { version: '1.2.3', directory: '/srv/checkout' };
const hasStructure = new Ajv({ allErrors: true }).compile(SARIF_STRUCTURE);

function runOf(...bundles: readonly JudgedBundle[]): Run {
  const [run] = renderSarif(bundles, CONTEXT).runs;
  if (run === undefined) throw new Error('the log has no run');
  return run;
}

describe('the SARIF log of verify', () => {
  it.each(SAMPLES)('has the structure of SARIF 2.1.0 and what code scanning needs: %s', (_name, bundles) => {
    const log: unknown = JSON.parse(JSON.stringify(renderSarif(bundles, CONTEXT), asText));
    hasStructure(log);
    expect(hasStructure.errors ?? []).toEqual([]);
  });

  it.each(SAMPLES)('lets ruleIndex lead to the rule of ruleId: %s', (_name, bundles) => {
    const { results = [], tool } = runOf(...bundles);
    for (const { ruleId, ruleIndex = -1 } of results) expect(tool.driver.rules?.[ruleIndex]?.id).toBe(ruleId);
  });

  it('has a rule for every code that refuses, so that an empty log says what was checked', () => {
    const { results, tool, invocations } = runOf(ACCEPTED);
    expect(results).toEqual([]);
    expect(invocations).toEqual([{ executionSuccessful: true }]);
    const refusing = Object.entries(ERROR_CODES).filter(([, { exit }]) => exit === 3);
    expect(tool.driver.rules?.map(({ id }) => id)).toEqual(refusing.map(([code]) => code));
  });

  it('gives a refusal its code, message, hint and place', () => {
    const { results, invocations } = runOf(ACCEPTED, REFUSED);
    expect(results).toMatchObject([
      {
        ruleId: 'BUNDLE_SIGNER_UNKNOWN',
        level: 'error',
        message: {
          text: 'expected signatures of 1 trusted key, found 0. What to do: add the key only if you know whose it is.',
        },
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: 'out/edge%20bundle', uriBaseId: '%SRCROOT%' },
              region: { startLine: 1 },
            },
          },
        ],
      },
    ]);
    expect(invocations?.[0]?.executionSuccessful).toBe(true);
  });

  it('names the programs that a refusal is about, once each', () => {
    expect(runOf(NOT_ENTITLED).results?.[0]?.locations?.[0]?.logicalLocations).toEqual([
      { fullyQualifiedName: 'file.bpf.o#lsm/file_open/restrict', kind: 'function' },
      { fullyQualifiedName: 'protect.yaml#protect', kind: 'resource' },
    ]);
  });

  it('points at line and column of a trust policy, once for all bundles', () => {
    const { results, invocations } = runOf(BAD_TRUST, { ...BAD_TRUST, source: 'out/other.bundle' });
    expect(results).toHaveLength(1);
    expect(results?.[0]?.locations?.[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: 'deploy/trust.yaml', uriBaseId: '%SRCROOT%' },
      region: { startLine: 3, startColumn: 12 },
    });
    expect(invocations?.[0]?.executionSuccessful).toBe(false);
  });

  it('makes a run unsuccessful that judged nothing, and says why', () => {
    const { results, invocations } = runOf(NOT_FOUND);
    expect(results).toEqual([]);
    expect(invocations).toMatchObject([
      {
        executionSuccessful: false,
        toolExecutionNotifications: [{ descriptor: { id: 'INPUT_NOT_FOUND' }, level: 'error' }],
      },
    ]);
  });

  it('keeps the fingerprint when message and digest change, and no longer', () => {
    const fingerprint = (bundle: JudgedBundle) => runOf(bundle).results?.[0]?.partialFingerprints;
    expect(fingerprint({ ...NOT_ENTITLED, source: '/srv/checkout/out/starter.bundle' })).toEqual(
      fingerprint(NOT_ENTITLED),
    );
    expect(fingerprint({ ...NOT_ENTITLED, source: 'out/other.bundle' })).not.toEqual(
      fingerprint(NOT_ENTITLED),
    );
    expect(fingerprint(REFUSED)).not.toEqual(fingerprint({ ...REFUSED, source: 'x' }));
  });

  it.each([
    ['in the checkout', 'a/b c/ü#?.bundle', { uri: 'a/b%20c/%C3%BC%23%3F.bundle', uriBaseId: '%SRCROOT%' }],
    ['with a colon, which is no scheme', 'a:b', { uri: 'a%3Ab', uriBaseId: '%SRCROOT%' }],
    ['absolute but in the checkout', '/srv/checkout/x', { uri: 'x', uriBaseId: '%SRCROOT%' }],
    ['beside the checkout', '../y', { uri: 'file:///srv/y' }],
    ['that only starts with dots', '..z', { uri: '..z', uriBaseId: '%SRCROOT%' }],
    ['that is the checkout', '.', { uri: 'file:///srv/checkout' }],
    ['elsewhere', '/tmp/b.tar', { uri: 'file:///tmp/b.tar' }],
  ])('places a bundle %s', (_name, source, artifactLocation) => {
    expect(
      runOf({ ...REFUSED, source }).results?.[0]?.locations?.[0]?.physicalLocation?.artifactLocation,
    ).toEqual(artifactLocation);
  });
});

function asText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
