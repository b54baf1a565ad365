import type { ReportingDescriptor } from 'sarif';
import { ERROR_CODES, type ErrorCode } from '../../errors/index.js';
import { REFUSED_EXIT_CODE } from '../report.js';

/**
 * GitHub's number for "high" (7.0 to 8.9): what is refused does not run, so it is no break-in; but until somebody
 * looked at it, it may be the attempt of one.
 */
const SECURITY_SEVERITY = '8.0';

/**
 * The rules of a log: every code that refuses a bundle, whether it occurred or not, so
 * that a reader sees what was checked; then those that occurred beside them.
 */
export function sarifRules(occurred: readonly ErrorCode[]): ReportingDescriptor[] {
  const refusals = codes().filter((code) => ERROR_CODES[code].exit === REFUSED_EXIT_CODE);
  return [...new Set([...refusals, ...occurred])].map(ruleOf);
}

function ruleOf(code: ErrorCode): ReportingDescriptor {
  const { summary, exit } = ERROR_CODES[code];
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  const consequence =
    exit === REFUSED_EXIT_CODE
      ? 'A node refuses this bundle and loads nothing of it.'
      : 'Without it being mended, no bundle can be judged.';
  return {
    id: code,
    name: pascalCase(code),
    shortDescription: { text: sentence },
    fullDescription: { text: `${sentence} ${consequence}` },
    help: {
      text: `${sentence} ${consequence} The alert says what to do. Run vespid verify with --explain to see each signer.`,
      markdown: `${sentence} ${consequence}\n\nThe alert says what to do. \`vespid verify BUNDLE --trust TRUST --explain\` shows how each signer was judged.`,
    },
    defaultConfiguration: { level: 'error' },
    properties: {
      tags: ['security', 'supply-chain'],
      precision: 'very-high',
      'security-severity': SECURITY_SEVERITY,
    },
  };
}

/** `BundleSignerUnknown`: a rule has a name for people beside its stable id. */
function pascalCase(code: string): string {
  return code
    .split('_')
    .map((word) => `${word.charAt(0)}${word.slice(1).toLowerCase()}`)
    .join('');
}

function codes(): ErrorCode[] {
  // Object.keys forgets that the keys of a frozen table are its codes.
  return Object.keys(ERROR_CODES) as ErrorCode[];
}
