import { describe, expect, it } from 'vitest';
import { escapeForTerminal, tableHeader, tableRow } from '../../engine/events/index.js';
import { text } from './encode-record.js';
import { contextOf, eventOf, rule, SAMPLE_RECORDS } from './sample-events.js';

const PLAIN = { colour: false };
const FILE_RECORD = SAMPLE_RECORDS['file.open'];

describe('tableRow', () => {
  it.each([
    ['file.open', 'open /etc/shadow'],
    ['process.exec', 'execute /dev/shm/payload (./payload --now)'],
    ['net.connect', 'connect 10.0.0.7:4444 (tcp)'],
    ['program.load', 'load BPF program rootkit (type 13, sha256 9f9f9f9f9f9f9f9f…)'],
  ] as const)('%s ends with: %s', (hook, action) => {
    const row = tableRow(eventOf(SAMPLE_RECORDS[hook]), PLAIN);
    expect(row.slice(tableHeader().indexOf('WHAT'))).toBe(action);
  });

  it('stands under its header', () => {
    const row = tableRow(eventOf(FILE_RECORD), PLAIN);
    const header = tableHeader();
    expect(row.slice(0, header.indexOf('VERDICT')).trim()).toBe('14:13:32.345');
    expect(row.slice(header.indexOf('VERDICT')).startsWith('denied')).toBe(true);
    expect(row.slice(header.indexOf('SEVERITY')).startsWith('high')).toBe(true);
    expect(row.slice(header.indexOf('TECHNIQUE')).startsWith('T1003.008')).toBe(true);
    expect(row.slice(header.indexOf('PROCESS')).startsWith('cat[4242]')).toBe(true);
  });

  it('brings an IPv6 address in brackets', () => {
    const address = { kind: 'ip', family: 10, bytes: [...new Array(15).fill(0), 1] } as const;
    const record = SAMPLE_RECORDS['net.connect'];
    const row = tableRow(eventOf({ ...record, fields: { ...record.fields, 'net.address': address } }), PLAIN);
    expect(row).toContain('connect [::1]:4444');
  });

  it('lets no text of the watched process steer the terminal', () => {
    const evil = '\u001b[2J\r\n\u009b1mforged\u202egnp.\u0007\u007f';
    const fields = {
      ...FILE_RECORD.fields,
      'process.comm': text('\u001b]0;x\u0007'),
      'file.path': text(evil),
    };
    const row = tableRow(eventOf({ ...FILE_RECORD, fields }), PLAIN);
    expect(row).not.toMatch(/[^\x20-\x7e…]/);
    expect(row).toContain('\\x1b[2J\\x0d\\x0a\\x9b1mforged\\u202egnp.\\x07\\x7f');
  });

  it('adds colours only around its own words', () => {
    const event = eventOf(FILE_RECORD, contextOf(rule({ severity: 'critical' })));
    const row = tableRow(event, { colour: true });
    expect(row).toContain('\u001b[31mdenied');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: it removes the colours
    expect(row.replaceAll(/\u001b\[\d+m/g, '')).toBe(tableRow(event, PLAIN));
  });
});

describe('escapeForTerminal', () => {
  it.each([
    ['plain /etc/shadow', 'plain /etc/shadow'],
    ['höflich 文件 😀', 'höflich 文件 😀'],
    ['\\x1b', '\\\\x1b'],
    ['\t', '\\x09'],
    ['\u2028\u2066\ufeff\u200b', '\\u2028\\u2066\\ufeff\\u200b'],
  ])('%j becomes %s', (unsafe, safe) => {
    expect(escapeForTerminal(unsafe)).toBe(safe);
  });
});
