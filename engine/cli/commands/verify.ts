import { createHash } from 'node:crypto';
import { Command } from 'commander';
import type { FileDescription, NamedBytes } from '../../../signing/index.js';
import { openBundle } from '../../agent/index.js';
import { openTrustPolicy } from '../../trust/index.js';
import { CONTENTS_JSON, contentsLines } from '../bundle-contents.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, trustOption, verboseOption } from '../shared-options.js';
import { factLines } from '../text-table.js';

export function verifyCommand(): Command {
  return new Command('verify')
    .description('verify a bundle as a node would: signatures, trust policy, claims; exit code 3 if refused')
    .argument('<bundle>', 'bundle directory')
    .addOption(trustOption())
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid verify starter.bundle --trust trust.yaml', 'digest, signers and contents, or why not'],
          [
            "vespid verify starter.bundle --trust trust.yaml --json | jq '.predicate.programs[].helpers'",
            'what its programs may call',
          ],
        ],
        json: `
{ "ok": true, "bundle": path, "name", "digest", "threshold": count, "signers": [{ "id", "keyId" }],
  ${CONTENTS_JSON} }`,
      }),
    )
    .action(printReport(verify));
}

async function verify(bundlePath: string, { trust }: { readonly trust: string }): Promise<Report> {
  const trustPolicy = openTrustPolicy(trust);
  const bundle = await openBundle(bundlePath, trustPolicy, new Date());
  const { name, digest, signers } = bundle;
  const { threshold } = trustPolicy;
  const contents = {
    policies: bundle.policies.map(describeFile),
    objects: bundle.objects.map(describeFile),
    predicate: bundle.statement.predicate,
  };
  const facts = factLines([
    ['verified', bundlePath],
    ['name', name],
    ['digest', digest],
    ...signers.map(({ id, keyId }) => ['signed by', `${id}, key ${keyId}`] as const),
    ['threshold', `${threshold}, reached by ${signers.length}`],
  ]);
  return {
    text: [...facts, '', ...contentsLines(contents)].join('\n'),
    json: { bundle: bundlePath, name, digest, threshold, signers, ...contents },
  };
}

function describeFile({ name, bytes }: NamedBytes): FileDescription {
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return { name, digest, byteSize: bytes.byteLength };
}
