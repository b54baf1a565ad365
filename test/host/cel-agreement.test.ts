import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { DecodedRecord } from '../../engine/events/index.js';
import {
  FILE_OPEN,
  type FieldDefinition,
  type HookDefinition,
  POLICY_HOOKS,
  PROCESS_EXEC,
} from '../../lsm-hooks/index.js';
import { fieldsOf, parseCondition } from '../../policies/language/index.js';
import { evaluateByCel } from '../policies/cel-oracle.js';
import { randomCondition, randomEvent, type ValuePools } from '../policies/random-condition.js';
import { type SyntheticEvent, SyntheticHook } from './synthetic-hook.js';

/** Programs per hook, each with six to ten rules; VESPID_AGREEMENT_RUNS for a longer hunt. */
const RUNS = Number(process.env['VESPID_AGREEMENT_RUNS'] ?? 80);

/** Around every size at which code or buffers change: words of 8, 4, 2 and 1 bytes, 15 and 255 bytes of name. */
const SHORT_TEXTS = [
  '',
  'a',
  'ab',
  'abc',
  'aab',
  'aaab',
  'é',
  '😀',
  'ü😀',
  '"',
  '\\',
  'shadow',
  'shadow-',
  ' ',
];
const LENGTHS = [7, 8, 9, 15, 16, 17];
const LONG_LENGTHS = [254, 255, 256];
const PATHS = [
  '/',
  '/etc',
  '/etc/',
  '/etc/shadow',
  '/etc/shadow-',
  '/etc/sha',
  'etc/shadow',
  '/shadow',
  '/é/😀',
  '/aaab',
  '/x'.repeat(150),
  `${'/x'.repeat(150)}/shadow`,
  `/${'n'.repeat(254)}`,
  `/${'n'.repeat(255)}`,
];
const WORDS = [2n ** 16n, 2n ** 31n, 2n ** 32n, 2n ** 33n];

const BOUNDARY_POOLS: ValuePools = {
  texts: textsOf,
  ints: [
    0n,
    1n,
    443n,
    ...WORDS.flatMap((word) => [word - 1n, word, word + 1n]),
    2n ** 63n - 2n,
    2n ** 63n - 1n,
  ],
  addresses: [
    '0.0.0.0',
    '10.0.0.7',
    '10.255.0.1',
    '127.0.0.1',
    '128.0.0.0',
    '255.255.255.255',
    '::',
    '::1',
    'fd00::7',
    '2001:db8::1',
    '2001:db8:8000::1',
    'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  ],
  blocks: [
    ...prefixesOf('10.255.0.1', 32, ipv4Text),
    ...prefixesOf('2001:db8:8000::1', 128, ipv6Text),
    '0.0.0.0/0',
    '::/0',
  ],
};

function textsOf({ type }: FieldDefinition): string[] {
  const maxBytes = type.kind === 'string' ? type.maxBytes : 0;
  const sized = [...LENGTHS, ...LONG_LENGTHS].map((length) => 'shadow'.padEnd(length, 'n'));
  const texts = [...SHORT_TEXTS, ...sized, ...PATHS];
  return texts.filter((text) => Buffer.byteLength(text) <= maxBytes);
}

/** The blocks of every prefix length around an address. */
function prefixesOf(address: string, bitCount: number, write: (bits: bigint) => string): string[] {
  const bits = bitsOf(address);
  return Array.from({ length: bitCount }, (_, index) => {
    const free = BigInt(bitCount - index - 1);
    return `${write((bits >> free) << free)}/${index + 1}`;
  });
}

function bitsOf(address: string): bigint {
  if (!address.includes(':'))
    return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter(Boolean);
  const zeros = new Array<string>(8 - groups(head).length - groups(tail).length).fill('0');
  return [...groups(head), ...zeros, ...groups(tail)].reduce(
    (bits, group) => (bits << 16n) | BigInt(`0x${group}`),
    0n,
  );
}

function ipv4Text(bits: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join('.');
}

/** The canonical text, by the URL parser, which is not ours. */
function ipv6Text(bits: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) => (bits >> BigInt(112 - index * 16)) & 0xffffn);
  return new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]`).hostname.slice(1, -1);
}

/** At most so many bytes, whole characters only. */
function cut(text: string, maxBytes: number): string {
  let kept = '';
  for (const char of text) {
    if (Buffer.byteLength(kept + char) > maxBytes) break;
    kept += char;
  }
  return kept;
}

/** Makes values that a kernel can show: limits kept, the name the last component of the path. */
function asInKernel(
  hook: HookDefinition,
  values: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const real = { ...values };
  for (const { name, type } of hook.fields) {
    if (type.kind !== 'string') continue;
    // exec.filename can be longer than what is read of it: then it is marked as cut.
    const most = name === 'exec.filename' ? 400 : type.maxBytes - 1;
    real[name] = cut(String(values[name]), type.maxBytes === 4096 ? 8000 : most);
    if (!name.endsWith('.path')) continue;
    const path = String(real[name]);
    real[name.replace(/path$/, 'name')] = cut(path.slice(path.lastIndexOf('/') + 1), 255);
    real[name] = path.slice(0, path.lastIndexOf('/') + 1) + real[name.replace(/path$/, 'name')];
  }
  return real;
}

/** Fields that a condition may fail to read. What the caller controls does not fail closed: other rules hold. */
function losableFields(hook: HookDefinition): string[] {
  return hook.fields
    .filter(({ type, callerControlled }) => type.kind === 'string' && callerControlled !== true)
    .map(({ name }) => name);
}

function randomSyntheticEvent(hook: HookDefinition): fc.Arbitrary<SyntheticEvent> {
  const lost = fc.oneof(
    { weight: 4, arbitrary: fc.constant<string[]>([]) },
    { weight: 1, arbitrary: fc.subarray(losableFields(hook), { minLength: 1, maxLength: 2 }) },
  );
  return fc
    .tuple(randomEvent(hook, BOUNDARY_POOLS), lost)
    .map(([values, unavailable]) => ({ values: asInKernel(hook, values), unavailable }));
}

/** `0110`: rule by rule. */
const bitsText = (mask: bigint, count: number) => mask.toString(2).padStart(count, '0').slice(-count);

/**
 * Holds one verdict of the kernel to CEL. A rule that could be decided must be decided as CEL does; one that
 * could not must match, and at least wherever CEL says so on the values that the kernel could not read.
 */
function compare(
  hook: HookDefinition,
  rules: readonly string[],
  event: SyntheticEvent,
  record: DecodedRecord | undefined,
): { trueCount: number; isIncomplete: boolean } {
  const matched = record?.matchedRules ?? 0n;
  const isIncomplete = record?.failedClosed ?? false;
  let expected = 0n;
  let undecidable = 0n;
  const incompleteFields = [...event.unavailable, ...(record?.incomplete ?? [])];
  for (const [index, cel] of rules.entries()) {
    const bit = 1n << BigInt(index);
    if (evaluateByCel(cel, event.values) === true) expected |= bit;
    if (!isIncomplete) continue;
    // A test of a path may look at its last component first.
    const fields = fieldsOf(parseCondition(cel, hook)).flatMap((name) => [
      name,
      name.replace(/path$/, 'name'),
    ]);
    if (incompleteFields.some((name) => fields.includes(name))) undecidable |= bit;
  }
  const count = rules.length;
  const wanted = { decided: bitsText(expected & ~undecidable, count), missed: bitsText(0n, count) };
  const got = {
    decided: bitsText(matched & ~undecidable, count),
    missed: bitsText(expected & ~matched, count),
  };
  expect(got, `of ${hook.name} on ${JSON.stringify(event, stringify)}`).toEqual(wanted);
  return { trueCount: bitsText(expected, count).replaceAll('0', '').length, isIncomplete };
}

function stringify(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

describe.each([...POLICY_HOOKS.values()])('rules on $name in the kernel', (hook) => {
  it('decide what CEL decides', { timeout: 60_000 + RUNS * 500 }, () => {
    const synthetic = new SyntheticHook(hook);
    const totals = { rules: 0, judged: 0, true: 0, incomplete: 0, records: 0 };
    fc.assert(
      fc.property(
        fc.array(randomCondition(hook, BOUNDARY_POOLS), { minLength: 6, maxLength: 10 }),
        fc.array(randomSyntheticEvent(hook), { minLength: 10, maxLength: 12 }),
        (rules, events) => {
          using program = synthetic.load(rules.map((cel) => parseCondition(cel, hook)));
          totals.rules += rules.length;
          for (const event of events) {
            const record = program.judge(event);
            const { trueCount, isIncomplete } = compare(hook, rules, event, record);
            totals.judged += rules.length;
            totals.true += trueCount;
            if (isIncomplete) totals.incomplete++;
            if (record === undefined) continue;
            totals.records++;
            expectRecord(event, record);
          }
        },
      ),
      { numRuns: RUNS },
    );
    // The property is worth something only if both outcomes, and losses, are common.
    expect(totals.rules).toBeGreaterThanOrEqual(150);
    expect(totals.true).toBeGreaterThan(totals.judged / 10);
    expect(totals.true).toBeLessThan((totals.judged * 9) / 10);
    expect(totals.incomplete).toBeGreaterThan(0);
  });
});

/** The record holds the event's own values. */
function expectRecord(event: SyntheticEvent, record: DecodedRecord): void {
  for (const [index, { field }] of record.layout.slots.entries()) {
    if (record.incomplete.includes(field.name)) continue;
    const value = record.values[index];
    const given = event.values[field.name];
    expect(typeof value === 'number' ? BigInt(value) : value, field.name).toEqual(given);
  }
}

describe('one rule', () => {
  /** Whether the rule matches, and whether it had to guess. */
  function judge(
    hook: HookDefinition,
    cel: string,
    values: Record<string, unknown>,
    unavailable: string[] = [],
  ) {
    using program = new SyntheticHook(hook).load([parseCondition(cel, hook)]);
    const record = program.judge({ values: { ...blank(hook), ...values }, unavailable });
    return { matched: record !== undefined, guessed: record?.failedClosed ?? false };
  }

  function blank(hook: HookDefinition): Record<string, unknown> {
    return Object.fromEntries(
      hook.fields.map(({ name, type }) => {
        if (type.kind === 'string') return [name, ''];
        if (type.kind === 'ip') return [name, '0.0.0.0'];
        return [name, type.kind === 'enum' ? Object.keys(type.values)[0] : 0n];
      }),
    );
  }

  const longest = `${'/d'.repeat(2043)}/longest-1`;
  const beyond = `/top${longest}`;
  test.each([
    { what: 'equals a path of 4096 bytes', cel: `file.path == "${longest}"`, path: longest, matched: true },
    {
      what: 'starts with 4096 bytes',
      cel: `file.path.startsWith("${longest}")`,
      path: longest,
      matched: true,
    },
    { what: 'contains 4096 bytes', cel: `file.path.contains("${longest}")`, path: longest, matched: true },
    { what: 'ends with 4096 bytes', cel: `file.path.endsWith("${longest}")`, path: longest, matched: true },
    {
      what: 'differs in the first of 4096 bytes',
      cel: `file.path == "x${longest.slice(1)}"`,
      path: longest,
      matched: false,
    },
    {
      what: 'is cut, so it is no short path',
      cel: 'file.path == "/d/longest-1"',
      path: beyond,
      matched: false,
    },
    {
      what: 'is cut, and its end is kept',
      cel: 'file.path.endsWith("/d/longest-1")',
      path: beyond,
      matched: true,
    },
    {
      what: 'is cut, so its start is not known',
      cel: 'file.path.startsWith("/other")',
      path: beyond,
      matched: true,
      guessed: true,
    },
    {
      what: 'is cut, and what is found is found',
      cel: 'file.path.contains("/d/longest")',
      path: beyond,
      matched: true,
    },
    {
      what: 'is cut, and what is not found may be there',
      cel: 'file.path.contains("/top")',
      path: beyond,
      matched: true,
      guessed: true,
    },
    {
      what: 'is cut, and a negation does not turn that around',
      cel: '!file.path.startsWith("/top")',
      path: beyond,
      matched: true,
      guessed: true,
    },
    {
      what: 'is cut, and so may be the longest constant',
      cel: `file.path == "${longest}"`,
      path: beyond,
      matched: true,
      guessed: true,
    },
  ])('a path that $what', ({ cel, path, matched, guessed = false }) => {
    const values = { 'file.path': path, 'file.name': path.slice(path.lastIndexOf('/') + 1) };
    expect(judge(FILE_OPEN, cel, values)).toEqual({ matched, guessed });
  });

  test('a file name of 255 bytes may be one that was cut: equality fails closed', () => {
    const filename = 'f'.repeat(255);
    expect(judge(PROCESS_EXEC, `exec.filename == "${filename}"`, { 'exec.filename': filename })).toEqual({
      matched: true,
      guessed: true,
    });
    expect(judge(PROCESS_EXEC, 'exec.filename == "f"', { 'exec.filename': filename }).matched).toBe(false);
  });

  test('a file name that was cut may start with a constant that is longer than what was kept', () => {
    const filename = 'f'.repeat(300);
    const rule = `exec.filename.startsWith("${'f'.repeat(256)}")`;
    for (const cel of [rule, `!${rule}`]) {
      expect(judge(PROCESS_EXEC, cel, { 'exec.filename': filename })).toEqual({
        matched: true,
        guessed: true,
      });
    }
  });

  const textFields = [...POLICY_HOOKS.values()].flatMap((hook) =>
    hook.fields.flatMap(({ name, type }) =>
      type.kind === 'string' ? [{ hook, name, maxBytes: type.maxBytes }] : [],
    ),
  );
  test.each(textFields)(
    'a search in $name of $hook.name finds at every place',
    ({ hook, name, maxBytes }) => {
      using program = new SyntheticHook(hook).load([parseCondition(`${name}.contains("!?")`, hook)]);
      const mostBytes = Math.min(maxBytes - 2, 255);
      for (let place = 0; place + 2 <= mostBytes; place++) {
        const text = `${'x'.repeat(place)}!?`;
        const record = program.judge({ values: { ...blank(hook), [name]: text }, unavailable: [] });
        expect(record?.matchedRules, `at ${place}`).toBe(1n);
        const other = { ...blank(hook), [name]: `${'x'.repeat(place)}!.` };
        expect(program.judge({ values: other, unavailable: [] }), `not at ${place}`).toBeUndefined();
      }
    },
  );

  test('two searches whose constants begin alike are two searches', () => {
    const alike = 'x'.repeat(40);
    const cel = `exec.args.contains("${alike}1") && exec.args.contains("${alike}2")`;
    expect(judge(PROCESS_EXEC, cel, { 'exec.args': `${alike}1` }).matched).toBe(false);
    expect(judge(PROCESS_EXEC, cel, { 'exec.args': `${alike}1 ${alike}2` }).matched).toBe(true);
  });

  test.each([
    { cel: 'exec.args.contains("-c")', matched: false },
    { cel: 'exec.path == "/bin/sh"', matched: false },
    { cel: 'exec.filename == "/bin/sh"', matched: true },
    { cel: 'process.exe != "/bin/sh"', matched: true },
  ])('$cel on texts that cannot be read: matched is $matched', ({ cel, matched }) => {
    const unavailable = ['exec.args', 'exec.filename', 'process.exe', 'exec.path'];
    expect(judge(PROCESS_EXEC, cel, { 'exec.name': 'other' }, unavailable)).toEqual({
      matched,
      guessed: matched,
    });
  });
});
