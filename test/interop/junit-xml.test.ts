import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { failedVerdict } from '../../engine/cli/verification-report/judged-bundle.js';
import { renderJunit } from '../../engine/cli/verification-report/junit-xml.js';
import { VespidError } from '../../engine/errors/index.js';
import { SAMPLES } from '../cli/verification-report/sample-verdicts.js';

/** What an XPath expression selects, by libxml2. */
function select(xml: string, expression: string): string {
  const { status, stdout, stderr, error } = spawnSync('xmllint', ['--nonet', '--xpath', expression, '-'], {
    input: xml,
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr);
  // xmllint ends it with a line feed of its own.
  return stdout.replace(/\n$/, '');
}

describe('the JUnit file of verify, read by libxml2', () => {
  it.each(SAMPLES)('has the counts that it states: %s', (_name, bundles) => {
    const xml = renderJunit(bundles);
    expect(select(xml, 'concat(count(//testcase), " ", count(//failure), " ", count(//error))')).toBe(
      select(xml, 'concat(/testsuites/@tests, " ", //testsuite/@failures, " ", //testsuite/@errors)'),
    );
  });

  it.each([
    ['quotes and brackets', '<a b="c">\'&amp; ]]>'],
    ['white space', ' a\tb\nc\r\nd '],
    ['other scripts', '日本語 \u{1f41d} ü'],
  ])('keeps %s', (_name, text) => {
    const xml = renderJunit([failedVerdict(text, new VespidError('BUNDLE_UNSIGNED', text))]);
    expect(select(xml, 'string(//testcase/@name)')).toBe(text);
    expect(select(xml, 'string(//failure/@message)')).toBe(text);
    expect(select(xml, 'string(//failure)')).toBe(`BUNDLE_UNSIGNED: ${text}`);
  });

  it('can be read whatever a bundle is called', () => {
    const everything = Array.from({ length: 0x250 }, (_, code) => String.fromCharCode(code)).join('');
    const xml = renderJunit([failedVerdict(everything, new VespidError('BUNDLE_UNSIGNED', '\ud800\uffff'))]);
    expect(select(xml, 'string(//failure/@message)')).toBe('\\ud800\\uffff');
  });
});
