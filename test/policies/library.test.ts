import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { evaluateCondition, fieldsOf, parsePolicies, policyWarnings } from '../../policies/language/index.js';

const folder = new URL('../../policies/library/', import.meta.url);
const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
const read = (file: string) => parsePolicies(readFileSync(new URL(file, folder), 'utf8'), file);
const all = files.flatMap(read);

describe('starter policies', () => {
  it.each(files)('%s parses without warnings', (file) => {
    const policies = read(file);
    expect(policies.length).toBeGreaterThan(0);
    expect(policies.flatMap(policyWarnings)).toEqual([]);
  });

  it('have names of their own, a description and a technique each', () => {
    expect(new Set(all.map((policy) => policy.name)).size).toBe(all.length);
    for (const policy of all) {
      expect(policy.description, policy.name).not.toBe('');
      expect(policy.attack.length, policy.name).toBeGreaterThan(0);
    }
  });

  it('do not read on process.exec what not every attach point can give', () => {
    for (const rule of all.flatMap((policy) => policy.rules).filter((each) => each.hook === 'process.exec')) {
      expect(fieldsOf(rule.condition)).not.toContain('process.exe');
      expect(fieldsOf(rule.condition)).not.toContain('process.comm');
    }
  });

  const rows: [label: string, hook: string, fields: Record<string, unknown>, effects: string[]][] = [
    ['cat reads shadow', 'file.open', { 'file.name': 'shadow', 'process.exe': '/usr/bin/cat' }, ['deny']],
    ['a decoy counts too', 'file.open', { 'file.path': '/tmp/x/shadow', 'file.name': 'shadow' }, ['deny']],
    ['sshd reads shadow', 'file.open', { 'file.name': 'shadow', 'process.exe': '/usr/sbin/sshd' }, []],
    ['any other file', 'file.open', {}, []],
    ['a cron job is written', 'file.open', { 'file.write': true, 'file.path': '/etc/cron.d/x' }, ['audit']],
    ['a cron job is read', 'file.open', { 'file.path': '/etc/cron.d/x' }, []],
    [
      'a key is added',
      'file.open',
      { 'file.write': true, 'file.path': '/root/.ssh/authorized_keys' },
      ['audit'],
    ],
    ['exec from shared memory', 'process.exec', { 'exec.path': '/dev/shm/x' }, ['deny']],
    ['exec from a memfd', 'process.exec', { 'exec.path': '/memfd:x (deleted)' }, ['deny']],
    [
      'runc seals itself',
      'process.exec',
      { 'exec.path': '/memfd:runc_cloned:/proc/self/exe (deleted)' },
      ['audit'],
    ],
    ['exec from /tmp', 'process.exec', { 'exec.path': '/tmp/x' }, ['audit']],
    ['exec from /usr/bin', 'process.exec', { 'exec.path': '/usr/bin/id' }, []],
    ['reverse shell', 'net.connect', { 'net.port': 4444 }, ['deny']],
    ['the same over UDP', 'net.connect', { 'net.port': 4444, 'net.protocol': 'udp' }, []],
    ['metadata service', 'net.connect', { 'net.address': '169.254.169.254', 'net.port': 80 }, ['audit']],
    ['a web site', 'net.connect', {}, []],
  ];
  const quiet = {
    'process.exe': '/usr/bin/cat',
    'file.name': 'passwd',
    'file.path': '/etc/passwd',
    'file.write': false,
    'exec.path': '/usr/bin/cat',
    'net.port': 443,
    'net.protocol': 'tcp',
    'net.address': '192.0.2.1',
  };

  it.each(rows)('%s', (_label, hook, fields, effects) => {
    const matched = all
      .flatMap((policy) => policy.rules)
      .filter((rule) => rule.hook === hook && evaluateCondition(rule.condition, { ...quiet, ...fields }));
    expect(matched.map((rule) => rule.effect)).toEqual(effects);
  });
});
