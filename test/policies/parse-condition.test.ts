import { describe, expect, it } from 'vitest';
import { FILE_OPEN, NET_CONNECT, PROCESS_EXEC, PROGRAM_LOAD } from '../../lsm-hooks/index.js';
import { type Condition, parseCondition } from '../../policies/language/index.js';
import { placeOf, thrownBy } from './policy-text.js';

const name = (...values: string[]): Condition => ({ kind: 'string-in', field: 'file.name', values });
const uid = (...values: bigint[]): Condition => ({ kind: 'int-in', field: 'file.uid', values });
const write: Condition = { kind: 'bool', field: 'file.write' };
const not = (term: Condition): Condition => ({ kind: 'not', term });
const constant = (value: boolean): Condition => ({ kind: 'constant', value });
const order = (operator: '<' | '<=' | '>' | '>=', value: bigint): Condition => ({
  kind: 'int-order',
  field: 'file.uid',
  operator,
  value,
});

describe('conditions over file.open', () => {
  const rows: [label: string, cel: string, expected: Condition][] = [
    ['equality', 'file.name == "a"', name('a')],
    ['equality, constant first', '"a" == file.name', name('a')],
    ['inequality', 'file.name != "a"', not(name('a'))],
    ['empty text', 'file.name == ""', name('')],
    ['single quotes and escapes', String.raw`file.name == 'a\t\x41\u00e9\101'`, name('a\tAéA')],
    ['raw string', String.raw`file.name == r"a\n"`, name(String.raw`a\n`)],
    ['triple quotes', 'file.name == """a"b"""', name('a"b')],
    ['list', 'file.name in ["a", "b", "a"]', name('a', 'b')],
    ['empty list', 'file.name in []', constant(false)],
    ['not in list', '!(file.name in ["a"])', not(name('a'))],
    ['prefix', 'file.name.startsWith("a")', { kind: 'string-prefix', field: 'file.name', value: 'a' }],
    ['suffix', 'file.name.endsWith("a")', { kind: 'string-suffix', field: 'file.name', value: 'a' }],
    ['contains', 'file.name.contains("a")', { kind: 'string-contains', field: 'file.name', value: 'a' }],
    ['empty prefix', 'file.name.startsWith("")', constant(true)],
    ['int equality', 'file.uid == 0', uid(0n)],
    ['hexadecimal int', 'file.uid == 0x1F', uid(31n)],
    ['int list with a negative', 'file.uid in [1, -1, 2]', uid(1n, 2n)],
    ['negative int', 'file.uid == -1', constant(false)],
    ['not a negative int', 'file.uid != -1', constant(true)],
    ['less', 'file.uid < 5', order('<', 5n)],
    ['less, flipped', '5 < file.uid', order('>', 5n)],
    ['at most, flipped', '5 <= file.uid', order('>=', 5n)],
    ['more, flipped', '5 > file.uid', order('<', 5n)],
    ['at least, flipped', '5 >= file.uid', order('<=', 5n)],
    ['at least zero', 'file.uid >= 0', constant(true)],
    ['less than zero', 'file.uid < 0', constant(false)],
    ['more than a negative', 'file.uid > -9', constant(true)],
    ['at most a negative', 'file.uid <= -9', constant(false)],
    ['largest int', 'file.uid <= 9223372036854775807', order('<=', 2n ** 63n - 1n)],
    ['smallest int', 'file.uid > -9223372036854775808', constant(true)],
    ['bool field', 'file.write', write],
    ['bool == true', 'file.write == true', write],
    ['bool == false', 'false == file.write', not(write)],
    ['bool != true', 'file.write != true', not(write)],
    ['bool in one', 'file.write in [false]', not(write)],
    ['bool in both', 'file.write in [true, false]', { kind: 'or', terms: [write, not(write)] }],
    ['double negation', '!!file.write', write],
    ['triple negation', '!!!file.write', not(write)],
    ['constant', 'true', constant(true)],
    ['constants fold in and', 'true && file.write && true', write],
    ['false wins in and', 'file.write && false', constant(false)],
    ['constants fold in or', 'false || file.write', write],
    ['true wins in or', 'file.write || true', constant(true)],
    ['negated constant', '!true', constant(false)],
    ['and', 'file.write && file.uid == 0', { kind: 'and', terms: [write, uid(0n)] }],
    [
      'nested and is flat',
      'file.write && (file.uid == 0 && (file.name == "a" && file.uid < 9))',
      { kind: 'and', terms: [write, uid(0n), name('a'), order('<', 9n)] },
    ],
    [
      'and binds before or',
      'file.write || file.uid == 0 && file.name == "a"',
      { kind: 'or', terms: [write, { kind: 'and', terms: [uid(0n), name('a')] }] },
    ],
    [
      'sets of one field merge in or',
      'file.name == "a" || "b" == file.name || file.name in ["c", "a"]',
      name('a', 'b', 'c'),
    ],
    [
      'sets of two fields stay two',
      'file.name == "a" || file.uid == 1 || file.name == "b"',
      { kind: 'or', terms: [name('a', 'b'), uid(1n)] },
    ],
    ['excluded sets merge in and', 'file.name != "a" && file.name != "b"', not(name('a', 'b'))],
    [
      'sets do not merge in and',
      'file.uid == 1 && file.uid == 2',
      { kind: 'and', terms: [uid(1n), uid(2n)] },
    ],
    [
      'excluded sets do not merge in or',
      'file.uid != 1 || file.uid != 2',
      { kind: 'or', terms: [not(uid(1n)), not(uid(2n))] },
    ],
    [
      'conditional',
      'file.write ? file.uid == 1 : file.uid == 2',
      {
        kind: 'or',
        terms: [
          { kind: 'and', terms: [write, uid(1n)] },
          { kind: 'and', terms: [not(write), uid(2n)] },
        ],
      },
    ],
    ['conditional with constants', 'file.write ? true : false', write],
    ['comment', 'file.write // it is opened for writing', write],
    ['comment marks in a text', 'file.name == "//"', name('//')],
    ['text of the greatest length', `file.name == "${'é'.repeat(132)}"`, name('é'.repeat(132))],
  ];

  it.each(rows)('%s', (_label, cel, expected) => {
    expect(parseCondition(cel, FILE_OPEN)).toEqual(expected);
  });
});

describe('conditions over net.connect', () => {
  const v4 = (bytes: number[], prefixLength = 32): Condition => ({
    kind: 'ip-in',
    field: 'net.address',
    ranges: [{ family: 'ipv4', bytes, prefixLength }],
  });
  const v6 = (bytes: number[], prefixLength = 128): Condition => ({
    kind: 'ip-in',
    field: 'net.address',
    ranges: [
      { family: 'ipv6', bytes: [...bytes, ...new Array<number>(16 - bytes.length).fill(0)], prefixLength },
    ],
  });
  const protocol = (...values: bigint[]): Condition => ({ kind: 'int-in', field: 'net.protocol', values });

  const rows: [label: string, cel: string, expected: Condition][] = [
    ['IPv4 address', 'net.address == "10.0.0.7"', v4([10, 0, 0, 7])],
    ['IPv6 address', '"2001:db8::" == net.address', v6([0x20, 0x01, 0x0d, 0xb8])],
    ['not an address', 'net.address != "10.0.0.7"', not(v4([10, 0, 0, 7]))],
    ['IPv4 block', 'cidr("10.0.0.0/8").containsIP(net.address)', v4([10, 0, 0, 0], 8)],
    ['IPv6 block', 'cidr("fd00::/8").containsIP(net.address)', v6([0xfd], 8)],
    ['every IPv4 address', 'cidr("0.0.0.0/0").containsIP(net.address)', v4([0, 0, 0, 0], 0)],
    [
      'addresses and blocks merge',
      'net.address in ["10.0.0.7", "10.0.0.7"] || cidr("127.0.0.0/8").containsIP(net.address)',
      {
        kind: 'ip-in',
        field: 'net.address',
        ranges: [
          { family: 'ipv4', bytes: [10, 0, 0, 7], prefixLength: 32 },
          { family: 'ipv4', bytes: [127, 0, 0, 0], prefixLength: 8 },
        ],
      },
    ],
    ['enum', 'net.protocol == "tcp"', protocol(6n)],
    ['enum list', 'net.protocol in ["udp", "tcp"]', protocol(17n, 6n)],
    ['not an enum name', 'net.protocol != "tcp"', not(protocol(6n))],
  ];

  it.each(rows)('%s', (_label, cel, expected) => {
    expect(parseCondition(cel, NET_CONNECT)).toEqual(expected);
  });
});

describe('conditions that are refused', () => {
  const rows: [code: string, cel: string, at: string, marked: string, hint: RegExp | undefined][] = [
    ['POLICY_CEL_SYNTAX', 'file.name ==', '1:13', '', undefined],
    ['POLICY_CEL_SYNTAX', 'file.name = "a"', '1:11', '=', /write ==/],
    ['POLICY_CEL_SYNTAX', 'file.write & true', '1:12', '&', /write &&/],
    ['POLICY_CEL_SYNTAX', 'file.write or true', '1:12', 'or', /write \|\|/],
    ['POLICY_CEL_SYNTAX', 'file.name == "a', '1:14', '"a', undefined],
    ['POLICY_CEL_SYNTAX', String.raw`file.name == "\q"`, '1:15', String.raw`\q`, undefined],
    ['POLICY_CEL_SYNTAX', '(file.write', '1:12', '', undefined],
    ['POLICY_CEL_SYNTAX', '', '1:1', '', undefined],
    ['POLICY_CEL_SYNTAX', 'file.write if', '1:12', 'if', undefined],
    ['POLICY_CEL_TYPE', 'file.name', '1:1', 'file.name', undefined],
    ['POLICY_CEL_TYPE', 'file.uid == "a"', '1:1', 'file.uid == "a"', undefined],
    ['POLICY_CEL_TYPE', 'file.uid == 1.0', '1:1', 'file.uid == 1.0', undefined],
    ['POLICY_CEL_TYPE', 'file.uid in ["a"]', '1:1', 'file.uid in ["a"]', undefined],
    ['POLICY_CEL_TYPE', 'file.name in ["a", 1]', '1:20', '1', undefined],
    ['POLICY_CEL_TYPE', 'file.write &&\nfile.uid && true', '2:1', 'file.uid', undefined],
    ['POLICY_CEL_TYPE', '!file.name', '1:1', '!file.name', undefined],
    ['POLICY_CEL_TYPE', 'file.name.startsWith(1)', '1:1', 'file.name.startsWith(1)', undefined],
    ['POLICY_CEL_TYPE', 'nonsense(file.name)', '1:1', 'nonsense(file.name)', undefined],
    ['POLICY_CEL_TYPE', 'file.write ? 1 : 2', '1:1', 'file.write ? 1 : 2', undefined],
    [
      'POLICY_UNKNOWN_FIELD',
      'file.write && file.pth == "a"',
      '1:15',
      'file.pth',
      /did you mean file\.path\?/,
    ],
    ['POLICY_UNKNOWN_FIELD', 'fle.name == "a"', '1:1', 'fle.name', /did you mean file\.name\?/],
    ['POLICY_UNKNOWN_FIELD', 'net.port == 1', '1:1', 'net.port', /field of net\.connect/],
    ['POLICY_UNKNOWN_FIELD', 'shadow.startsWith("a")', '1:1', 'shadow', /known: process\.pid/],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      'file.uid == process.uid',
      '1:1',
      'file.uid == process.uid',
      /each field/,
    ],
    ['POLICY_CONDITION_UNSUPPORTED', '1 == 1', '1:1', '1 == 1', /write true or false/],
    ['POLICY_CONDITION_UNSUPPORTED', 'file.uid + 1 == 2', '1:1', 'file.uid + 1', /made of/],
    ['POLICY_CONDITION_UNSUPPORTED', '-file.uid == 2', '1:1', '-file.uid', /made of/],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      'file.name.matches("a.*")',
      '1:1',
      'file.name.matches("a.*")',
      /made of/,
    ],
    ['POLICY_CONDITION_UNSUPPORTED', 'size(file.name) > 1', '1:1', 'size(file.name)', /made of/],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      '["a"].exists(x, x == file.name)',
      '1:1',
      '["a"].exists(x, x == file.name)',
      /made of/,
    ],
    ['POLICY_CONDITION_UNSUPPORTED', 'has(file.name)', '1:1', 'has(file.name)', /made of/],
    ['POLICY_CONDITION_UNSUPPORTED', 'file.name in {"a": 1}', '1:1', 'file.name in {"a": 1}', /made of/],
    ['POLICY_CONDITION_UNSUPPORTED', 'file["name"] == "a"', '1:1', 'file["name"]', /made of/],
    ['POLICY_CEL_TYPE', 'file == file', '1:1', 'file == file', undefined],
    ['POLICY_CONDITION_UNSUPPORTED', '"a" in [file.name]', '1:1', '"a" in [file.name]', /made of/],
    ['POLICY_CONDITION_UNSUPPORTED', 'file.name in ["a", process.exe]', '1:20', 'process.exe', /made of/],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      '"abc".contains(file.name)',
      '1:1',
      '"abc".contains(file.name)',
      /made of/,
    ],
    ['POLICY_CONDITION_UNSUPPORTED', 'file.name < "b"', '1:1', 'file.name < "b"', /int field/],
    ['POLICY_CONDITION_UNSUPPORTED', '(file.uid < 5) == true', '1:2', 'file.uid < 5) == true', /instead of/],
    ['POLICY_CONDITION_UNSUPPORTED', 'true == file.uid < 5', '1:1', 'true == file.uid < 5', /instead of/],
    ['POLICY_CONDITION_UNSUPPORTED', String.raw`file.name == r"\""`, '1:14', String.raw`r"\""`, /made of/],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      '(file.write ? file.write : true) ? true : false',
      '1:2',
      'file.write ? file.write : true',
      /&& and \|\|/,
    ],
    ['POLICY_CONSTANT_INVALID', 'file.uid == 9223372036854775808', '1:13', '9223372036854775808', /between/],
    ['POLICY_CONSTANT_INVALID', 'file.uid > -9223372036854775809', '1:12', '-9223372036854775809', /between/],
    ['POLICY_CONSTANT_INVALID', String.raw`file.name == "a\x00"`, '1:14', String.raw`"a\x00"`, undefined],
    [
      'POLICY_CONSTANT_INVALID',
      `file.name in ["${'é'.repeat(133)}"]`,
      '1:15',
      `"${'é'.repeat(133)}"`,
      undefined,
    ],
    ['POLICY_CONSTANT_INVALID', 'file.name == "\ud800"', '1:14', '"\ud800"', undefined],
  ];

  it.each(rows)('%s: %s', (code, cel, at, marked, hint) => {
    const error = thrownBy(() => parseCondition(cel, FILE_OPEN, 'rule.cel'));
    expect({ code: error.code, ...placeOf(error), file: error.location?.file }).toEqual({
      code,
      at,
      marked,
      file: 'rule.cel',
    });
    if (hint !== undefined) expect(error.hint).toMatch(hint);
  });

  const addressRows: [code: string, cel: string, marked: string, hint: string][] = [
    ['POLICY_CONSTANT_INVALID', 'net.address == "10.0.0"', '"10.0.0"', 'write it as 10.0.0.7'],
    ['POLICY_CONSTANT_INVALID', 'net.address == "010.0.0.1"', '"010.0.0.1"', 'write it as 10.0.0.7'],
    ['POLICY_CONSTANT_INVALID', 'net.address in ["2001:DB8::1"]', '"2001:DB8::1"', 'write 2001:db8::1'],
    ['POLICY_CONSTANT_INVALID', 'net.address == "0:0:0:0:0:0:0:1"', '"0:0:0:0:0:0:0:1"', 'write ::1'],
    ['POLICY_CONSTANT_INVALID', 'net.address == "::ffff:1.2.3.4"', '"::ffff:1.2.3.4"', 'IPv4 form, 1.2.3.4'],
    ['POLICY_CONSTANT_INVALID', 'net.address == "fe80::1%eth0"', '"fe80::1%eth0"', 'write it as'],
    [
      'POLICY_CONSTANT_INVALID',
      'net.address == "10.0.0.0/8"',
      '"10.0.0.0/8"',
      'cidr("10.0.0.0/8").containsIP',
    ],
    [
      'POLICY_CONSTANT_INVALID',
      'cidr("10.0.0.1/8").containsIP(net.address)',
      '"10.0.0.1/8"',
      'write 10.0.0.0/8',
    ],
    [
      'POLICY_CONSTANT_INVALID',
      'cidr("10.0.0.0/33").containsIP(net.address)',
      '"10.0.0.0/33"',
      'write it as',
    ],
    [
      'POLICY_CONSTANT_INVALID',
      'cidr("10.0.0.0/08").containsIP(net.address)',
      '"10.0.0.0/08"',
      'write 10.0.0.0/8',
    ],
    [
      'POLICY_CONSTANT_INVALID',
      'cidr("10.0.0.7").containsIP(net.address)',
      '"10.0.0.7"',
      'write 10.0.0.7/32',
    ],
    ['POLICY_CONSTANT_INVALID', 'cidr("FD00::/8").containsIP(net.address)', '"FD00::/8"', 'write fd00::/8'],
    [
      'POLICY_CONSTANT_INVALID',
      'cidr("::ffff:0:0/96").containsIP(net.address)',
      '"::ffff:0:0/96"',
      'IPv4 form',
    ],
    ['POLICY_CONSTANT_INVALID', 'cidr("ten").containsIP(net.address)', '"ten"', 'write it as'],
    ['POLICY_CONSTANT_INVALID', 'net.protocol == "tpc"', '"tpc"', 'did you mean tcp?'],
    ['POLICY_CONSTANT_INVALID', 'net.family in ["ipv4", "toString"]', '"toString"', 'known: ipv4, ipv6'],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      'net.address.startsWith("10.")',
      'net.address.startsWith("10.")',
      'cidr("10.0.0.0/8").containsIP(net.address)',
    ],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      'cidr(process.exe).containsIP(net.address)',
      'cidr(process.exe)',
      'made of',
    ],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      'cidr("10.0.0.0/8").containsIP(process.exe)',
      'cidr("10.0.0.0/8").containsIP(process.exe)',
      'made of',
    ],
    [
      'POLICY_CONDITION_UNSUPPORTED',
      'cidr("10.0.0.0/8").containsIP("10.0.0.1")',
      'cidr("10.0.0.0/8").containsIP("10.0.0.1")',
      'made of',
    ],
    ['POLICY_CEL_TYPE', 'cidr("10.0.0.0/8")', 'cidr("10.0.0.0/8")', ''],
  ];

  it.each(addressRows)('%s: %s', (code, cel, marked, hint) => {
    const error = thrownBy(() => parseCondition(cel, NET_CONNECT));
    expect({ code: error.code, marked: placeOf(error).marked }).toEqual({ code, marked });
    expect(error.hint ?? '').toContain(hint);
  });

  it('refuses a field that only events have', () => {
    const error = thrownBy(() => parseCondition('program.type == 1', PROGRAM_LOAD));
    expect(error.code).toBe('POLICY_CONDITION_UNSUPPORTED');
    expect(placeOf(error).marked).toBe('program.type');
  });

  it('knows the fields of one hook only', () => {
    expect(thrownBy(() => parseCondition('file.name == "a"', PROCESS_EXEC)).code).toBe(
      'POLICY_UNKNOWN_FIELD',
    );
  });
});
