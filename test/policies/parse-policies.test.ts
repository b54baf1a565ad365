import { describe, expect, it } from 'vitest';
import { parsePolicies, parsePolicy } from '../../policies/language/index.js';
import { placeOf, policyText, policyWhen, thrownBy } from './policy-text.js';

const FULL = `# A policy with everything that is supported.
apiVersion: vespid.dev/v1
kind: Policy
metadata:
  name: protect-shadow
  description: Only login programs read the shadow file
  labels: { team: platform, vespid.dev/tier: "1" }
spec:
  severity: high
  attack: [T1003.008, T1014]
  rules:
    - hook: file.open
      when: file.name == "shadow" && process.uid != 0
      effect: deny
    - { hook: net.connect, effect: audit }
    - hook: process.exec
      when: true
      effect: kill
`;

describe('a policy file', () => {
  it('becomes a checked policy', () => {
    expect(parsePolicies(FULL, 'a.yaml')).toEqual([
      {
        name: 'protect-shadow',
        labels: { team: 'platform', 'vespid.dev/tier': '1' },
        description: 'Only login programs read the shadow file',
        severity: 'high',
        attack: ['T1003.008', 'T1014'],
        rules: [
          {
            hook: 'file.open',
            effect: 'deny',
            source: 'file.name == "shadow" && process.uid != 0',
            condition: {
              kind: 'and',
              terms: [
                { kind: 'string-in', field: 'file.name', values: ['shadow'] },
                { kind: 'not', term: { kind: 'int-in', field: 'process.uid', values: [0n] } },
              ],
            },
          },
          {
            hook: 'net.connect',
            effect: 'audit',
            source: 'true',
            condition: { kind: 'constant', value: true },
          },
          {
            hook: 'process.exec',
            effect: 'kill',
            source: 'true',
            condition: { kind: 'constant', value: true },
          },
        ],
      },
    ]);
  });

  it('may leave out labels, description, attack and when', () => {
    expect(parsePolicy(policyText(), 'a.yaml')).toEqual({
      name: 'sample',
      labels: {},
      description: '',
      severity: 'low',
      attack: [],
      rules: [
        { hook: 'file.open', effect: 'deny', source: 'true', condition: { kind: 'constant', value: true } },
      ],
    });
  });

  it('may hold several policies and empty documents', () => {
    const text = `---\n${policyText()}---\n---\n${policyText().replace('sample', 'other')}---\n`;
    expect(parsePolicies(text, 'a.yaml').map((policy) => policy.name)).toEqual(['sample', 'other']);
  });

  it('may use CRLF line ends and anchors', () => {
    const text = policyWhen('&shared file.write').replace('severity: low', 'severity: &level low');
    const second = '    - { hook: file.open, effect: audit, when: *shared }\n';
    const [policy] = parsePolicies(`${text}${second}`.replaceAll('\n', '\r\n'), 'a.yaml');
    expect(policy?.rules.map((rule) => rule.condition)).toEqual([
      { kind: 'bool', field: 'file.write' },
      { kind: 'bool', field: 'file.write' },
    ]);
  });

  it('keeps the condition as written, without the white space around it', () => {
    const policy = parsePolicy(policyWhen('|\n\n        file.write\n          && true\n\n'), 'a.yaml');
    expect(policy.rules[0]?.source).toBe('file.write\n  && true');
  });

  it('is one policy for parsePolicy', () => {
    const text = `${policyText()}---\n${policyText().replace('sample', 'other')}`;
    const error = thrownBy(() => parsePolicy(text, 'a.yaml'));
    expect(error.code).toBe('POLICY_SCHEMA');
    expect(error.message).toContain('2 policies');
  });
});

describe('faults of the form', () => {
  const change = (from: string, to: string) => {
    if (!policyText().includes(from)) throw new Error(`${from} is not in the sample`);
    return policyText().replace(from, to);
  };
  const rows: [
    label: string,
    text: string,
    code: string,
    at: string,
    marked: string,
    hint: RegExp | undefined,
  ][] = [
    ['not YAML', 'a: [', 'POLICY_YAML_SYNTAX', '1:5', '', undefined],
    ['tab as indentation', 'a:\n\tb: 1', 'POLICY_YAML_SYNTAX', '2:1', '\t', undefined],
    [
      'duplicate key',
      change('kind: Policy', 'kind: Policy\nkind: Policy'),
      'POLICY_YAML_SYNTAX',
      '3:1',
      'kind',
      undefined,
    ],
    ['unknown tag', change('low', '!secret low'), 'POLICY_YAML_SYNTAX', '5:13', '!secret', /when: \|/],
    ['tag of YAML 1.1', change('low', '!!binary low'), 'POLICY_YAML_SYNTAX', '5:13', '!!binary', undefined],
    [
      'negation read as a tag',
      policyWhen('!(file.write)'),
      'POLICY_YAML_SYNTAX',
      '9:13',
      '!(file.write)',
      /when: \|/,
    ],
    [
      'colon in a plain text',
      policyWhen('file.write ? true : false'),
      'POLICY_YAML_SYNTAX',
      '9:13',
      'f',
      /when: \|/,
    ],
    ['anchor that is not there', change('low', '*level'), 'POLICY_YAML_SYNTAX', '5:13', '*level', undefined],
    ['YAML 1.1', '%YAML 1.1\n---\na: b\n', 'POLICY_YAML_SYNTAX', '1:1', '%', /directive/],
    [
      'key that is no text',
      change('kind: Policy', '[a]: Policy'),
      'POLICY_YAML_SYNTAX',
      '2:1',
      '[',
      undefined,
    ],
    ['nothing', '', 'POLICY_SCHEMA', '1:1', '', /apiVersion/],
    ['comments only', '# nothing\n', 'POLICY_SCHEMA', '1:1', '#', /apiVersion/],
    ['a text', 'hello', 'POLICY_SCHEMA', '1:1', 'hello', undefined],
    [
      'another kind',
      change('kind: Policy', 'kind: TrustPolicy'),
      'POLICY_SCHEMA',
      '2:7',
      'TrustPolicy',
      undefined,
    ],
    ['another version', change('v1', 'v2'), 'POLICY_SCHEMA', '1:13', 'vespid.dev/v2', undefined],
    [
      'missing metadata',
      change('metadata: { name: sample }\n', ''),
      'POLICY_SCHEMA',
      '1:1',
      'apiVersion: vespid.dev/v1',
      undefined,
    ],
    ['missing severity', change('  severity: low\n', ''), 'POLICY_SCHEMA', '4:1', 'spec', /severity/],
    [
      'missing effect',
      change('      effect: deny\n', ''),
      'POLICY_SCHEMA',
      '7:7',
      'hook: file.open',
      /effect/,
    ],
    [
      'no rules',
      'apiVersion: vespid.dev/v1\nkind: Policy\nmetadata: {name: a}\nspec: {severity: low, rules: []}\n',
      'POLICY_SCHEMA',
      '4:30',
      '[]',
      undefined,
    ],
    [
      'name that is no DNS label',
      change('sample', 'My_Policy'),
      'POLICY_SCHEMA',
      '3:19',
      'My_Policy',
      /DNS label/,
    ],
    [
      'name that is too long',
      change('sample', 'a'.repeat(64)),
      'POLICY_SCHEMA',
      '3:19',
      'a'.repeat(64),
      /DNS label/,
    ],
    [
      'label that is a number',
      change('sample', 'a, labels: { team: 1 }'),
      'POLICY_SCHEMA',
      '3:38',
      '1',
      /quote/,
    ],
    [
      'label with a bad key',
      change('sample', 'a, labels: { __proto__: a }'),
      'POLICY_SCHEMA',
      '3:32',
      '__proto__',
      /letters/,
    ],
    ['severity', change('low', 'hihg'), 'POLICY_SCHEMA', '5:13', 'hihg', /did you mean high\?/],
    ['effect', change('deny', 'block'), 'POLICY_SCHEMA', '8:15', 'block', /audit, deny, kill/],
    ['condition that is a number', policyWhen('1'), 'POLICY_SCHEMA', '9:13', '1', undefined],
    [
      'description of two lines',
      change('sample', 'a, description: "b\\nc"'),
      'POLICY_SCHEMA',
      '3:35',
      '"b\\nc"',
      /One line/,
    ],
    [
      'unknown key',
      change('severity:', 'serverity:'),
      'POLICY_UNKNOWN_KEY',
      '5:3',
      'serverity',
      /did you mean severity\?/,
    ],
    [
      'unknown key of a rule',
      change('effect: deny', 'effect: deny\n      if: "true"'),
      'POLICY_UNKNOWN_KEY',
      '9:7',
      'if',
      /known: hook, when, effect/,
    ],
    [
      'unknown key at the top',
      `${policyText()}status: {}\n`,
      'POLICY_UNKNOWN_KEY',
      '9:1',
      'status',
      undefined,
    ],
    ['merge key', `${policyText()}<<: { a: b }\n`, 'POLICY_UNKNOWN_KEY', '9:1', '<<', undefined],
    [
      'unknown hook',
      change('file.open', 'file.opn'),
      'POLICY_UNKNOWN_HOOK',
      '7:13',
      'file.opn',
      /did you mean file\.open\?.*process\.exec/,
    ],
    [
      'technique',
      change('  rules', '  attack: [T1014, T9999]\n  rules'),
      'POLICY_ATTACK_UNKNOWN',
      '6:19',
      'T9999',
      undefined,
    ],
    [
      'retired technique',
      change('  rules', '  attack: [T1562.001]\n  rules'),
      'POLICY_ATTACK_UNKNOWN',
      '6:12',
      'T1562.001',
      /use T1685/,
    ],
    [
      'technique twice',
      change('  rules', '  attack: [T1014, T1014]\n  rules'),
      'POLICY_SCHEMA',
      '6:11',
      '[T1014, T1014]',
      undefined,
    ],
    [
      'technique of bad form',
      change('  rules', '  attack: [t1014]\n  rules'),
      'POLICY_SCHEMA',
      '6:12',
      't1014',
      /T1003\.008/,
    ],
    [
      'scope',
      change('  rules', '  scope: {}\n  rules'),
      'POLICY_NOT_YET_SUPPORTED',
      '6:3',
      'scope',
      /--cgroup/,
    ],
    [
      'exceptions',
      change('  rules', '  exceptions: []\n  rules'),
      'POLICY_NOT_YET_SUPPORTED',
      '6:3',
      'exceptions',
      undefined,
    ],
    [
      'tests',
      change('  rules', '  tests: []\n  rules'),
      'POLICY_NOT_YET_SUPPORTED',
      '6:3',
      'tests',
      undefined,
    ],
    ['signal', change('deny', 'signal'), 'POLICY_NOT_YET_SUPPORTED', '8:15', 'signal', undefined],
    [
      'TracingPolicy',
      'apiVersion: cilium.io/v1alpha1\nkind: TracingPolicy\n',
      'POLICY_NOT_YET_SUPPORTED',
      '2:7',
      'TracingPolicy',
      undefined,
    ],
    [
      'same name twice',
      `${policyText()}---\n${policyText()}`,
      'POLICY_DUPLICATE_NAME',
      '12:19',
      'sample',
      undefined,
    ],
  ];

  it.each(rows)('%s', (_label, text, code, at, marked, hint) => {
    const error = thrownBy(() => parsePolicies(text, 'p.yaml'));
    expect({ code: error.code, ...placeOf(error), file: error.location?.file }).toEqual({
      code,
      at,
      marked,
      file: 'p.yaml',
    });
    if (hint !== undefined) expect(error.hint).toMatch(hint);
  });
});
