import { Command } from 'commander';
import { type AttestationDescription, inspectBundle } from '../../../signing/index.js';
import { openBundleSource } from '../../bundles/index.js';
import { contentsLines } from '../bundle-contents.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';
import { factLines } from '../text-table.js';

const NOT_VERIFIED =
  'NOT VERIFIED: this is what the bundle says of itself. Nobody vouches for it; see `vespid verify`.';

export function inspectCommand(): Command {
  return new Command('inspect')
    .description('show what a bundle says of itself, without verifying it')
    .argument('<bundle>', 'bundle directory or tar file')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [['vespid inspect starter.bundle', 'contents, and the keys that claim to have signed it']],
        json: `
{ "ok": true, "verified": false, "bundle": path, "name", "digest",
  "policies", "objects": [{ "name", "digest", "byteSize" }],
  "attestations": [{ "digest", "claimedKeyId" or "claimedIdentity": { "issuer", "subject" }, "payloadType",
    "unverifiedSubjects": [{...}],
    "unverifiedPredicate": {...}, "payloadFault" (only if unreadable) }] }`,
      }),
    )
    .action(printReport(inspect));
}

async function inspect(bundlePath: string): Promise<Report> {
  const description = await inspectBundle(await openBundleSource(bundlePath));
  const { name, digest, policies, objects, attestations } = description;
  const facts = factLines([
    ['bundle', bundlePath],
    ['name', name],
    ['digest', digest],
  ]);
  // All attestations of an honest bundle state the same; each is shown if they do not.
  const statements = distinctBy(attestations, ({ unverifiedPredicate }) =>
    JSON.stringify(unverifiedPredicate),
  );
  const contents = statements.map(({ unverifiedPredicate: predicate }) => ({ policies, objects, predicate }));
  return {
    text: [
      NOT_VERIFIED,
      '',
      ...facts,
      ...attestations.flatMap(attestationLines),
      ...(contents.length === 0 ? [{ policies, objects, predicate: undefined }] : contents).flatMap(
        (content) => ['', ...contentsLines(content)],
      ),
    ].join('\n'),
    json: { bundle: bundlePath, ...description },
  };
}

function attestationLines(attestation: AttestationDescription): string[] {
  const { payloadFault } = attestation;
  const fault = payloadFault === undefined ? '' : `; its statement cannot be read: ${payloadFault}`;
  return factLines([['claims to be signed by', `${signerText(attestation)}${fault}`]]);
}

function signerText({ claimedKeyId, claimedIdentity }: AttestationDescription): string {
  if (claimedKeyId !== undefined) return `key ${claimedKeyId}`;
  if (claimedIdentity === undefined) return 'a certificate that cannot be read';
  return `${claimedIdentity.subject} (${claimedIdentity.issuer})`;
}

function distinctBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  return [...new Map(items.map((item) => [keyOf(item), item])).values()];
}
