import { describe, expect, it } from 'vitest';
import { parsePolicies, parsePolicy } from '../../policies/language/index.js';
import { placeOf, policyWhen, thrownBy } from './policy-text.js';

describe('faults inside a condition point into the YAML', () => {
  const rows: [label: string, when: string, at: string, marked: string][] = [
    ['plain', 'file.pth == "a"', '9:13', 'file.pth'],
    ['plain over two lines', 'file.name == "a"\n        && file.pth == "a"', '10:12', 'file.pth'],
    ['single quotes', "'file.name == ''a'' && file.pth == 1'", '9:36', 'file.pth'],
    ['single quotes over two lines', "'file.name == ''a''\n\n        && file.pth == 1'", '11:12', 'file.pth'],
    ['double quotes', '"true && file.pth == 1"', '9:22', 'file.pth'],
    [
      'double quotes with escapes',
      String.raw`"\x22\u0061\U00000022 == file.name || file.pth == 1"`,
      '9:51',
      'file.pth',
    ],
    [
      'double quotes with an escape inside',
      String.raw`"true && \x66ile.pth == 1"`,
      '9:22',
      String.raw`\x66ile.pth`,
    ],
    [
      'double quotes with an astral escape',
      String.raw`"file.name == '\U0001F600' && file.pth == 1"`,
      '9:43',
      'file.pth',
    ],
    [
      'double quotes with escaped line breaks',
      '"true \\\n        && file.\\\n        pth == 1"',
      '10:12',
      'file.\\',
    ],
    ['literal block', '|\n        file.name == "a"\n          && file.pth == 1', '11:14', 'file.pth'],
    ['literal block with header comment', '|- # why\n\n        true && file.pth == 1', '11:17', 'file.pth'],
    ['literal block, explicit indentation', '|2\n         true && file.pth == 1', '10:18', 'file.pth'],
    ['folded block', '>\n        file.name == "a"\n        && file.pth == 1', '11:12', 'file.pth'],
    [
      'folded block with empty lines',
      '>-\n        true\n\n\n          && file.pth == 1',
      '13:14',
      'file.pth',
    ],
    ['end of a literal block', '|\n        file.name ==\n\n', '10:21', ''],
    ['end of a folded block', '>\n        file.name\n        ==\n\n', '11:11', ''],
    [
      'constant in a list of a block',
      '|\n        file.uid in [\n          1,\n          9223372036854775808\n        ]',
      '12:11',
      '9223372036854775808',
    ],
  ];

  it.each(rows)('%s', (_label, when, at, marked) => {
    expect(placeOf(thrownBy(() => parsePolicies(policyWhen(when), 'p.yaml')))).toEqual({ at, marked });
    // The same with CRLF: lines and columns stay.
    const crlf = policyWhen(when).replaceAll('\n', '\r\n');
    expect(placeOf(thrownBy(() => parsePolicies(crlf, 'p.yaml')))).toEqual({ at, marked });
  });

  it('leads through an alias to the text itself', () => {
    const text = `${policyWhen('&shared file.write')}    - { hook: net.connect, effect: audit, when: *shared }\n`;
    const error = thrownBy(() => parsePolicies(text, 'p.yaml'));
    expect(error.code).toBe('POLICY_UNKNOWN_FIELD');
    expect(placeOf(error)).toEqual({ at: '9:21', marked: 'file.write' });
  });

  it.each([
    ['folded block', '>\n        file.name == "//" // odd\n        && file.write', '10:27'],
    ['plain', 'file.write // odd\n        && file.write', '9:24'],
  ])('a comment that YAML folds is refused: %s', (_label, when, at) => {
    const error = thrownBy(() => parsePolicies(policyWhen(when), 'p.yaml'));
    expect(error.code).toBe('POLICY_CONDITION_UNSUPPORTED');
    expect(placeOf(error)).toEqual({ at, marked: '//' });
  });

  it('a comment in a literal block ends with its line', () => {
    const policy = parsePolicy(policyWhen('|\n        false // odd\n        || file.write'), 'p.yaml');
    expect(policy.rules[0]?.condition).toEqual({ kind: 'bool', field: 'file.write' });
  });
});
