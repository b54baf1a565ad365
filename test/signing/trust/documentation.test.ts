import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Decision, matchesName, parseTrustPolicy, type TrustPolicy } from '../../../signing/index.js';
import { writePem } from '../../../signing/keys/pem.js';
import { encodeSpki } from '../../../signing/keys/public-key.js';
import { type BundleEvidence, judgeEvidence } from '../../../signing/trust/judge-bundle.js';
import { parseNamePattern } from '../../../signing/trust/name-pattern.js';
import { TRUST_POLICY_SCHEMA } from '../../../signing/trust/trust-policy-schema.generated.js';
import { NOW, sampleKey } from '../sample-bundle.js';
import { evidence, program, workflow } from './trust-evidence.js';

const PAGE = readFileSync(new URL('../../../docs/trust-policy.md', import.meta.url), 'utf8');

/** Keys of the page by the name of their file. */
const NAMES = ['ci', 'release', 'alice', 'bob', 'carol', 'build', 'platform'];
const KEYS = new Map(NAMES.map((name, at) => [name, sampleKey(at + 1).publicKey]));
const keyOf = (name: string) => ({ kind: 'key' as const, keyId: KEYS.get(name)?.keyId ?? 'unknown' });

const EXAMPLES = new Map(
  [...PAGE.matchAll(/^### (.+?)\n.*?```yaml\n(.*?)```/gms)].map(([, title = '', yaml = '']) => [title, yaml]),
);

function policyOf(title: string): TrustPolicy {
  const yaml = (EXAMPLES.get(title) ?? '').replace('BOB_KEY_ID', keyOf('bob').keyId);
  return parseTrustPolicy(yaml, 'docs/trust.yaml', (path) => {
    if (path.endsWith('trusted_root.json')) return '{}';
    const key = KEYS.get(path.replace(/^docs\/(.*)\.pub$/, '$1'));
    if (key === undefined) throw new Error(`ENOENT: ${path}`);
    return writePem('PUBLIC KEY', encodeSpki(key.bytes));
  });
}

const judge = (title: string, judged: BundleEvidence): Decision =>
  judgeEvidence(policyOf(title), judged, NOW);
const codeOf = (title: string, judged: BundleEvidence) => judge(title, judged).refusal?.code ?? 'accepted';
const signedBy = (...names: readonly string[]) => evidence(names.map(keyOf));
const edge = (version: string, ...names: readonly string[]) => ({
  ...signedBy(...names),
  bundle: { name: 'edge', version, digest: 'sha256:0' },
});

describe('docs/trust-policy.md', () => {
  test('has the examples that this test knows', () => {
    expect([...EXAMPLES.keys()]).toEqual([
      ...['One team', 'Release and two of security', 'A key that may only watch', 'Keyless'],
    ]);
  });

  test('its smallest policy takes one signature', () => {
    expect(codeOf('One team', signedBy('ci'))).toBe('accepted');
    expect(codeOf('One team', signedBy('alice'))).toBe('BUNDLE_SIGNER_UNKNOWN');
  });

  test('its groups need release and two of security, without Bob and above the minimum', () => {
    const title = 'Release and two of security';
    expect(codeOf(title, edge('1.4.0', 'release', 'alice', 'carol'))).toBe('accepted');
    expect(codeOf(title, edge('1.4.0', 'release', 'alice', 'bob'))).toBe('BUNDLE_THRESHOLD_NOT_MET');
    expect(codeOf(title, edge('1.4.0', 'alice', 'bob', 'carol'))).toBe('BUNDLE_THRESHOLD_NOT_MET');
    expect(codeOf(title, edge('1.3.9', 'release', 'alice', 'carol'))).toBe('BUNDLE_VERSION_BELOW_MINIMUM');
  });

  test('its key that may only watch signs nothing that enforces', () => {
    const title = 'A key that may only watch';
    const watching = program({ effects: [], type: 'tracepoint', attachTarget: 'sched/sched_switch' });
    const metrics = (predicate: Partial<BundleEvidence['predicate']>, name = 'metrics-1') =>
      evidence([keyOf('build')], {
        bundle: { name, digest: 'sha256:0' },
        predicate: { policies: [], ...predicate },
      });
    expect(codeOf(title, metrics({ programs: [watching] }))).toBe('accepted');
    for (const refused of [
      metrics({ programs: [watching] }, 'edge'),
      metrics({ programs: [program({ effects: ['deny'] })] }),
      metrics({ programs: [program({ effects: ['kill'] })] }),
      metrics({ programs: [program({ ...watching, helpers: ['bpf_override_return'] })] }),
      metrics({ programs: [program({ ...watching, kfuncs: ['bpf_task_acquire'] })] }),
      metrics({ programs: [program({ ...watching, type: 'xdp' })] }),
      metrics({ programs: [], policies: [{ file: 'a.yaml', name: 'a', effects: ['deny'] }] }),
    ]) {
      expect(codeOf(title, refused)).toBe('BUNDLE_SIGNER_NOT_ENTITLED');
    }
    expect(codeOf(title, signedBy('platform'))).toBe('accepted');
  });

  test('its workflow signs at version tags, but not at the one that is revoked', () => {
    const at = (ref: string) =>
      workflow(`https://github.com/acme/sensors/.github/workflows/release.yml@${ref}`);
    const built = (ref: string, repository = 'https://github.com/acme/sensors') =>
      evidence([at(ref)], {
        provenance: [
          {
            identity: at(ref),
            builder: 'https://github.com/actions/runner/github-hosted',
            repositories: [repository],
          },
        ],
      });
    expect(codeOf('Keyless', built('refs/tags/v1.4.0'))).toBe('accepted');
    expect(codeOf('Keyless', built('refs/heads/main'))).toBe('BUNDLE_SIGNER_UNKNOWN');
    expect(codeOf('Keyless', built('refs/tags/v1.3.0'))).toBe('BUNDLE_SIGNER_REVOKED');
    expect(codeOf('Keyless', built('refs/tags/v1.4.0', 'https://github.com/evil/sensors'))).toBe(
      'BUNDLE_PROVENANCE_NOT_MET',
    );
  });

  test('names every field of the schema', () => {
    const names = new Set<string>();
    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      for (const [key, member] of Object.entries(value)) {
        if (key === 'properties') for (const name of Object.keys(member)) names.add(name);
        visit(member);
      }
    };
    visit(TRUST_POLICY_SCHEMA);
    expect(names.size).toBeGreaterThan(35);
    const unnamed = [...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(PAGE));
    expect(unnamed).toEqual([]);
  });

  test('its table of patterns is right', () => {
    const rows = [...PAGE.matchAll(/^\| `([^`]*\*[^`]*)` \| (.*?) \| (.*?) \|$/gm)];
    expect(rows).toHaveLength(4);
    for (const [, pattern = '', matching = '', other = ''] of rows) {
      const examples = (cell: string) =>
        [...cell.matchAll(/`([^`]*)`/g)].map(([, text = '']) => text.replace('""', ''));
      for (const name of examples(matching))
        expect(matchesName(parseNamePattern(pattern), name), name).toBe(true);
      for (const name of examples(other))
        expect(matchesName(parseNamePattern(pattern), name), name).toBe(false);
    }
  });
});
