import { Command } from 'commander';
import {
  type AcceptedBundle,
  type Decision,
  judgeBundle,
  type TrustPolicy,
  type VerifiedSigner,
} from '../../../signing/index.js';
import { checkAcceptedBundle } from '../../agent/index.js';
import { openBundleSource } from '../../bundles/index.js';
import { VespidError } from '../../errors/index.js';
import { CONTENTS_JSON, contentsLines } from '../bundle-contents.js';
import { type CheckedTrust, type CheckedTrustOptions, openCheckedTrust } from '../checked-trust.js';
import { decisionLines } from '../decision-tree.js';
import { helpNotes } from '../help-text.js';
import { asVespidError } from '../outcome.js';
import { type FailureReport, printReports, type Report } from '../report.js';
import { checkedStateOption, jsonOption, rootOption, trustOption, verboseOption } from '../shared-options.js';
import { factLines } from '../text-table.js';
import { failedVerdict, type JudgedBundle } from '../verification-report/judged-bundle.js';
import {
  type ReportFileOptions,
  reportFileOptions,
  writeReportFiles,
} from '../verification-report/report-files.js';

interface VerifyOptions extends ReportFileOptions, CheckedTrustOptions {
  readonly explain?: true;
  readonly verbose?: true;
}

export function verifyCommand(): Command {
  const command = new Command('verify')
    .description('verify bundles as a node would: signatures, trust policy, claims; exit code 3 if refused')
    .argument('<bundles...>', 'bundle directories or tar files')
    .addOption(trustOption())
    .addOption(checkedStateOption())
    .addOption(rootOption())
    .option('--explain', 'print how the trust policy decided: each signer, what is required, the verdict');
  for (const option of reportFileOptions()) command.addOption(option);
  return command
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
          ['vespid verify starter.bundle --trust trust.yaml --explain', 'who counts, who does not, and why'],
          [
            'vespid verify *.bundle --trust trust.yaml --sarif vespid.sarif --junit vespid.xml',
            'every bundle, and what was found as files for code scanning and test reports',
          ],
        ],
        json: `
one line for each bundle; docs/json-output.md has its schema:
{ "ok": true, "bundle": path, "name", "version" (if it has one), "digest", "threshold": count,
  "signers": [{ "id", "kind": "key", "keyId" } or { "id", "kind": "keyless", "issuer", "subject" }],
  "decision": how each signature was judged, ${CONTENTS_JSON} }`,
      }),
    )
    .action(printReports(verify));
}

/** Goes on after a refusal, so that one bad bundle hides no other. */
async function* verify(
  sources: readonly string[],
  options: VerifyOptions,
): AsyncGenerator<Report | FailureReport> {
  const verdicts: JudgedBundle[] = [];
  try {
    const trust = openCheckedTrust(options, new Date());
    for (const source of sources) {
      const { verdict, report } = await verifyOne(source, trust, options);
      verdicts.push(verdict);
      yield 'failure' in report && sources.length > 1 ? { ...report, subject: source } : report;
    }
  } catch (error) {
    // Without a trust policy no bundle can be judged, and the files must not look as if all were well.
    const failure = asVespidError(error, options.verbose === true);
    verdicts.push(...sources.slice(verdicts.length).map((source) => failedVerdict(source, failure)));
    throw failure;
  } finally {
    writeReportFiles(verdicts, options);
  }
}

interface Verification {
  readonly verdict: JudgedBundle;
  readonly report: Report | FailureReport;
}

async function verifyOne(
  source: string,
  trust: CheckedTrust,
  { explain = false, verbose = false }: { readonly explain?: boolean; readonly verbose?: boolean },
): Promise<Verification> {
  let decision: Decision | undefined;
  try {
    const judgement = await judgeBundle(await openBundleSource(source), trust.policy, new Date());
    decision = judgement.decision;
    if (judgement.outcome instanceof VespidError) throw judgement.outcome;
    const bundle = judgement.outcome;
    await checkAcceptedBundle(bundle);
    trust.checkVersion(bundle);
    const { name, digest } = bundle;
    const signers = bundle.signers.map(({ id }) => id);
    return {
      verdict: { source, outcome: 'accepted', name, digest, signers },
      report: acceptance(source, bundle, trust.policy, explain ? decisionLines(source, decision) : []),
    };
  } catch (error) {
    const failure = asVespidError(error, verbose);
    const text = explain ? { text: explanationLines(source, decision).join('\n') } : {};
    return {
      verdict: failedVerdict(source, failure),
      report: { failure, json: { bundle: source }, ...text },
    };
  }
}

/** @param decision undefined for a bundle that is at fault itself, whatever the trust policy says */
function explanationLines(source: string, decision: Decision | undefined): readonly string[] {
  return decision === undefined
    ? [`${source}: the trust policy was not asked`]
    : decisionLines(source, decision);
}

/** @param explained lines that are asked for beside the facts */
function acceptance(
  source: string,
  bundle: AcceptedBundle,
  { threshold }: TrustPolicy,
  explained: readonly string[],
): Report {
  const { name, version, digest, policies, objects, signers, decision } = bundle;
  const contents = { policies, objects, predicate: bundle.statement.predicate };
  const facts = factLines([
    ['verified', source],
    ['name', name],
    ...(version === undefined ? [] : [['version', version] as const]),
    ['digest', digest],
    ...signers.map((signer) => ['signed by', describeSigner(signer)] as const),
    ['threshold', `${threshold}, reached by ${signers.length}`],
  ]);
  return {
    text: [
      ...facts,
      '',
      ...explained,
      ...(explained.length === 0 ? [] : ['']),
      ...contentsLines(contents),
    ].join('\n'),
    json: { bundle: source, name, version, digest, threshold, signers, decision, ...contents },
  };
}

function describeSigner(signer: VerifiedSigner): string {
  if (signer.kind === 'key') return `${signer.id}, key ${signer.keyId}`;
  return `${signer.id}, ${signer.subject} by ${signer.issuer}`;
}
