import { formatError } from '../../errors/index.js';
import type { AcceptedVerdict, FailedVerdict, JudgedBundle } from './judged-bundle.js';
import { xmlElement, xmlText } from './xml-text.js';

const SUITE_NAME = 'vespid verify';
const CLASS_NAME = 'vespid.verify';

/**
 * JUnit XML, the form that GitLab, Jenkins and others show: one test case for each bundle. It has no norm; this keeps
 * to what the schemas of Ant, Jenkins and GitLab's reader agree on. A refusal is a `failure`, a bundle that could not
 * be judged an `error`. No times and no date, so the same verdicts give the same file.
 */
export function renderJunit(bundles: readonly JudgedBundle[]): string {
  const count = (outcome: JudgedBundle['outcome']) =>
    bundles.filter((bundle) => bundle.outcome === outcome).length;
  const totals = { tests: bundles.length, failures: count('refused'), errors: count('not judged') };
  const cases = bundles.map((bundle) => `    ${testCase(bundle)}\n`).join('');
  const suite = xmlElement('testsuite', { name: SUITE_NAME, ...totals, skipped: 0 }, `\n${cases}  `);
  const suites = xmlElement('testsuites', { name: SUITE_NAME, ...totals }, `\n  ${suite}\n`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${suites}\n`;
}

function testCase(bundle: JudgedBundle): string {
  const content = bundle.outcome === 'accepted' ? acceptance(bundle) : fault(bundle);
  return xmlElement('testcase', { classname: CLASS_NAME, name: bundle.source }, content);
}

function acceptance({ name, digest, signers }: AcceptedVerdict): string {
  return xmlElement('system-out', {}, xmlText(`accepted ${name} ${digest}, signed by ${signers.join(', ')}`));
}

function fault({ outcome, error, subjects }: FailedVerdict): string {
  const lines = [formatError(error), ...subjects.map((subject) => `in ${subject}`)];
  return xmlElement(
    outcome === 'refused' ? 'failure' : 'error',
    { type: error.code, message: error.message },
    xmlText(lines.join('\n')),
  );
}
