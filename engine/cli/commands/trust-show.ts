import { Command } from 'commander';
import { openTrustPolicy } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';
import { TRUST_JSON, trustJson, trustLines } from '../trust-summary.js';

export function trustShowCommand(): Command {
  return new Command('show')
    .description('show whose signatures count, what each may sign, and what is revoked')
    .argument('<policy>', 'trust policy, plain or signed')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid trust show trust.yaml', 'signers, thresholds, grants, revocations'],
          [
            'vespid trust show trust.yaml --json | jq ".signers[] | select(.may == null)"',
            'who may sign all',
          ],
        ],
        json: `{ "ok": true, "trust": path, ${TRUST_JSON} }`,
      }),
    )
    .action(printReport(show));
}

function show(file: string): Report {
  // Opened as if it were still valid: what an expired policy says can be looked at, too.
  const policy = openTrustPolicy(file, new Date(0));
  const now = new Date();
  return {
    text: [`trust policy ${file}`, '', ...trustLines(policy, now)].join('\n'),
    json: { trust: file, ...trustJson(policy, now) },
  };
}
