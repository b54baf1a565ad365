import { Command } from 'commander';
import { type ReadTrustPolicy, readTrustPolicy } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';
import { factLines } from '../text-table.js';
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
        json: `
{ "ok": true, "trust": path,
  "digest", "signed", "unsigned", "others": [keyId of root keys] (in the form of a signed one),
  ${TRUST_JSON} }`,
      }),
    )
    .action(printReport(show));
}

function show(file: string): Report {
  // Read and not opened: what has expired can be looked at, too, and what is still to be signed.
  const { policy, progress } = readTrustPolicy(file);
  const now = new Date();
  return {
    text: [`trust policy ${file}`, '', ...signatureLines(progress), ...trustLines(policy, now)].join('\n'),
    json: { trust: file, ...signatureJson(progress), ...trustJson(policy, now) },
  };
}

/** Who has signed it: none of this is trust, which only a node's own root gives. */
function signatureLines(progress: ReadTrustPolicy['progress']): string[] {
  if (progress === undefined) return [];
  const { digest, signed, unsigned, others } = progress;
  return factLines([
    ['digest', digest],
    ...signed.map((keyId) => ['signed by', `root key ${keyId}`] as const),
    ...unsigned.map((keyId) => ['not yet by', `root key ${keyId}`] as const),
    ...others.map((keyId) => ['also by', `${keyId} (no root key of this policy)`] as const),
  ]);
}

function signatureJson(progress: ReadTrustPolicy['progress']) {
  if (progress === undefined) return {};
  const { digest, signed, unsigned, others } = progress;
  return { digest, signed, unsigned, others };
}
