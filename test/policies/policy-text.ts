import { VespidError } from '../../engine/errors/index.js';

/** The first lines of a policy whose only rule is still without a condition. */
export function policyText(hook = 'file.open', effect = 'deny'): string {
  return [
    'apiVersion: vespid.dev/v1',
    'kind: Policy',
    'metadata: { name: sample }',
    'spec:',
    '  severity: low',
    '  rules:',
    `    - hook: ${hook}`,
    `      effect: ${effect}`,
    '',
  ].join('\n');
}

/** A policy with `when` written as given, which may go over several lines. */
export function policyWhen(when: string, hook?: string, effect?: string): string {
  return `${policyText(hook, effect)}      when: ${when}\n`;
}

/** The VespidError that `action` throws; anything else fails the test. */
export function thrownBy(action: () => unknown): VespidError {
  try {
    action();
  } catch (error) {
    if (error instanceof VespidError) return error;
    throw error;
  }
  throw new Error('a VespidError was expected, but nothing was thrown');
}

/** `line:column`, and the text over the carets. */
export function placeOf(error: VespidError): { at: string; marked: string } {
  const { location } = error;
  if (location?.excerpt === undefined) throw new Error(`${error.code} has no location`);
  const [sourceLine = '', caretLine = ''] = location.excerpt.split('\n');
  const start = caretLine.indexOf('^');
  const marked = sourceLine.slice(start, caretLine.lastIndexOf('^') + 1);
  return { at: `${location.line}:${location.column}`, marked };
}
