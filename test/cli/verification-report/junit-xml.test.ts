import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { failedVerdict } from '../../../engine/cli/verification-report/judged-bundle.js';
import { renderJunit } from '../../../engine/cli/verification-report/junit-xml.js';
import { xmlAttributeValue, xmlText } from '../../../engine/cli/verification-report/xml-text.js';
import { VespidError } from '../../../engine/errors/index.js';
import { ACCEPTED, NOT_ENTITLED, NOT_FOUND, REFUSED, SAMPLES } from './sample-verdicts.js';
import { readXml } from './xml-reader.js';

describe('the JUnit file of verify', () => {
  it('is a case for each bundle: passed, failed or in error', () => {
    expect(readXml(renderJunit([ACCEPTED, REFUSED, NOT_FOUND]))).toMatchObject({
      name: 'testsuites',
      attributes: { name: 'vespid verify', tests: '3', failures: '1', errors: '1' },
      children: [
        {
          name: 'testsuite',
          attributes: { tests: '3', failures: '1', errors: '1', skipped: '0' },
          children: [
            { attributes: { name: 'out/starter.bundle' }, children: [{ name: 'system-out' }] },
            {
              attributes: { classname: 'vespid.verify', name: 'out/edge bundle' },
              children: [{ name: 'failure', attributes: { type: 'BUNDLE_SIGNER_UNKNOWN' } }],
            },
            { children: [{ name: 'error', attributes: { type: 'INPUT_NOT_FOUND' } }] },
          ],
        },
      ],
    });
  });

  it('says in a failure what the terminal says', () => {
    const [suite] = readXml(renderJunit([NOT_ENTITLED])).children;
    expect(suite?.children[0]?.children[0]).toEqual({
      name: 'failure',
      attributes: {
        type: 'BUNDLE_THRESHOLD_NOT_MET',
        message: 'ci may not sign <bpf_send_signal> & "more"',
      },
      text: [
        'BUNDLE_THRESHOLD_NOT_MET: ci may not sign <bpf_send_signal> & "more"',
        'in program file.bpf.o#lsm/file_open/restrict',
        'in policy protect.yaml#protect',
      ].join('\n'),
      children: [],
    });
  });

  it.each(SAMPLES)('counts what it lists: %s', (_name, bundles) => {
    const [suite] = readXml(renderJunit(bundles)).children;
    const outcomes = suite?.children.flatMap(({ children }) => children.map(({ name }) => name)) ?? [];
    expect(suite?.attributes).toMatchObject({
      tests: String(bundles.length),
      failures: String(outcomes.filter((name) => name === 'failure').length),
      errors: String(outcomes.filter((name) => name === 'error').length),
    });
  });

  it('keeps every text that XML can hold', () => {
    const xmlString = fc
      .string({ unit: 'binary' })
      .map((text) => text.replace(/[^\t\n\r -\ud7ff\ue000-\ufffd]/g, ''));
    fc.assert(
      fc.property(xmlString, xmlString, (source, message) => {
        const bundle = failedVerdict(source, new VespidError('BUNDLE_UNSIGNED', message));
        const [suite] = readXml(renderJunit([bundle])).children;
        expect(suite?.children[0]).toMatchObject({
          attributes: { name: source },
          children: [{ attributes: { message }, text: `BUNDLE_UNSIGNED: ${message}` }],
        });
      }),
    );
  });

  it.each([
    ['a terminal escape', '\u001b[2J', '\\u001b[2J'],
    ['NUL', 'a\0b', 'a\\u0000b'],
    ['half of a pair', '\ud800x', '\\ud800x'],
    ['a whole pair', '\u{1f41d}', '\u{1f41d}'],
    ['a character that is none', '\uffff', '\\uffff'],
    ['the end of CDATA', ']]>', ']]&gt;'],
    ['a carriage return', 'a\r\n', 'a&#13;\n'],
  ])('writes %s as XML can hold it', (_name, text, expected) => {
    expect(xmlText(text)).toBe(expected);
  });

  it('keeps line feeds and quotes of an attribute', () => {
    expect(xmlAttributeValue('"a"\n\tb')).toBe('&quot;a&quot;&#10;&#9;b');
  });
});
