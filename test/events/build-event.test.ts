import { describe, expect, it } from 'vitest';
import { VespidError } from '../../engine/errors/index.js';
import { buildEvent, decodeRecord, eventTime } from '../../engine/events/index.js';
import { FILE_OPEN, STRING_STATUS } from '../../lsm-hooks/index.js';
import { encodeRecord, integer, text, unavailable } from './encode-record.js';
import { schemaErrors } from './event-schema.js';
import { BUNDLE, contextOf, eventOf, HOST, rule, SAMPLE_RECORDS } from './sample-events.js';

const FILE_RECORD = SAMPLE_RECORDS['file.open'];

describe('buildEvent', () => {
  it('gives the whole event of a denied open', () => {
    const event = eventOf(FILE_RECORD);
    expect(event).toEqual({
      schema: 'vespid.event/1',
      id: expect.stringMatching(/^[0-9a-f]{32}$/),
      time: '2026-09-21T14:13:32.345678901Z',
      host: { id: HOST.id, name: 'node-1' },
      hook: 'file.open',
      verdict: 'denied',
      severity: 'high',
      policy: { name: 'protect-shadow', rule: 0, bundle: BUNDLE },
      matches: [
        {
          policy: 'protect-shadow',
          rule: 0,
          effect: 'deny',
          severity: 'high',
          source: 'file.path == "/etc/shadow"',
        },
      ],
      attack: [
        {
          id: 'T1003.008',
          name: expect.stringMatching(/^OS Credential Dumping: .*/),
          tactics: ['credential-access'],
          url: 'https://attack.mitre.org/techniques/T1003/008/',
        },
      ],
      process: {
        pid: 4242,
        tid: 4243,
        ppid: 1,
        uid: 1000,
        gid: 1000,
        cgroup_id: 2131,
        comm: 'cat',
        exe: '/usr/bin/cat',
      },
      file: {
        flags: 32_768,
        write: false,
        uid: 0,
        mode: 33_184,
        inode: 262_401,
        name: 'shadow',
        path: '/etc/shadow',
      },
    });
  });

  it.each(Object.entries(SAMPLE_RECORDS))('%s fits the schema', (hook, record) => {
    const event = eventOf(record);
    expect(schemaErrors(event)).toEqual([]);
    expect(event.hook).toBe(hook);
  });

  it('gives the same id for the same record, and another for any other', () => {
    const ids = [
      eventOf(FILE_RECORD).id,
      eventOf({ ...FILE_RECORD, timeNs: FILE_RECORD.timeNs + 1n }).id,
      eventOf(FILE_RECORD, { ...contextOf(rule()), host: { ...HOST, id: '0'.repeat(32) } }).id,
      eventOf(FILE_RECORD, { ...contextOf(rule()), host: { ...HOST, bootId: 'another boot' } }).id,
    ];
    expect(new Set(ids).size).toBe(ids.length);
    expect(eventOf(FILE_RECORD, contextOf(rule({ policy: 'renamed' }))).id).toBe(ids[0]);
  });

  it('leaves out what was not read and names it', () => {
    const fields = {
      ...FILE_RECORD.fields,
      'process.exe': unavailable(),
      'file.path': text('/etc/sha', STRING_STATUS.truncated),
    };
    const event = eventOf({ ...FILE_RECORD, fields, failedClosed: true });
    expect(event.process).not.toHaveProperty('exe');
    expect(event).toMatchObject({
      file: { path: '/etc/sha' },
      incomplete: ['process.exe', 'file.path'],
      failed_closed: true,
    });
    expect(schemaErrors(event)).toEqual([]);
  });

  it('writes an integer that JSON would round as text', () => {
    const event = eventOf({ hook: FILE_OPEN, fields: { 'file.inode': integer(2n ** 64n - 1n) } });
    expect(event.file?.inode).toBe('18446744073709551615');
    expect(schemaErrors(event)).toEqual([]);
  });

  it('attributes every record of the gate to its one rule', () => {
    expect(eventOf(SAMPLE_RECORDS['program.load'])).toMatchObject({
      policy: { name: 'gate' },
      severity: 'critical',
      attack: [{ id: 'T1014' }],
    });
  });

  it.each([
    ['a program that is not loaded', { programCookie: 99 }, 'EVENT_PROGRAM_UNKNOWN'],
    ['a rule that the program does not have', { matchedRules: 2n }, 'EVENT_RULE_UNKNOWN'],
    ['bit 63 of one rule', { matchedRules: 1n << 63n }, 'EVENT_RULE_UNKNOWN'],
    ['no rule', { matchedRules: 0n }, 'EVENT_RULE_UNKNOWN'],
  ])('refuses %s', (_, change, code) => {
    const record = decodeRecord(encodeRecord({ ...FILE_RECORD, ...change }));
    expect(() => buildEvent(record, contextOf(rule()))).toThrow(
      expect.objectContaining({ constructor: VespidError, code }),
    );
  });
});

describe('attribution', () => {
  const audit = rule({
    policy: 'watch',
    effect: 'audit',
    delivered: 'audit',
    severity: 'critical',
    attack: ['T1059'],
  });
  const deny = rule({ policy: 'deny', severity: 'low' });
  const denyHigh = rule({ policy: 'deny-high', severity: 'high' });
  const degraded = rule({
    policy: 'degraded',
    effect: 'kill',
    delivered: 'audit',
    degradedReason: 'no BPF LSM',
  });

  const attributed = (matchedRules: bigint, ...rules: (typeof deny)[]) =>
    eventOf({ ...FILE_RECORD, matchedRules }, contextOf(...rules));

  it.each([
    ['the stronger effect', 0b11n, [audit, deny], 'deny'],
    ['the higher severity among equal effects', 0b11n, [deny, denyHigh], 'deny-high'],
    ['the first among equals', 0b11n, [deny, { ...deny, policy: 'second' }], 'deny'],
    ['what is delivered, not what is asked for', 0b11n, [degraded, deny], 'deny'],
    ['only rules whose bit is set', 0b10n, [denyHigh, audit], 'watch'],
  ])('the policy is that of %s', (_, matchedRules, rules, policy) => {
    expect(attributed(matchedRules, ...rules).policy.name).toBe(policy);
  });

  it('takes the gravest severity and all techniques, those of the policy first', () => {
    const event = attributed(0b11n, audit, deny);
    expect(event.severity).toBe('critical');
    expect(event.attack.map(({ id }) => id)).toEqual(['T1003.008', 'T1059']);
    expect(event.matches.map(({ policy }) => policy)).toEqual(['watch', 'deny']);
  });

  it('names a technique once', () => {
    expect(attributed(0b11n, deny, denyHigh).attack).toHaveLength(1);
  });

  it('says so when a rule gets less than it asks for', () => {
    const event = attributed(0b11n, deny, degraded);
    expect(event.degraded).toEqual({ requested: 'kill', reason: 'no BPF LSM' });
    expect(schemaErrors(event)).toEqual([]);
    expect(attributed(0b01n, deny, degraded)).not.toHaveProperty('degraded');
  });

  it('serves 64 rules', () => {
    const rules = Array.from({ length: 64 }, (_, index) => rule({ rule: index }));
    expect(attributed(2n ** 64n - 1n, ...rules).matches).toHaveLength(64);
    expect(attributed(1n << 63n, ...rules).policy.rule).toBe(63);
  });
});

describe('eventTime', () => {
  it.each([
    [0n, '1970-01-01T00:00:00.000000000Z'],
    [1n, '1970-01-01T00:00:00.000000001Z'],
    [1_790_000_000_999_999_999n, '2026-09-21T14:13:20.999999999Z'],
  ])('%d ns is %s', (unixNs, expected) => {
    expect(eventTime(unixNs)).toBe(expected);
  });
});
