import { env } from 'node:process';
import { Command } from 'commander';
import type { AcceptedBundle } from '../../../signing/index.js';
import { checkBundleSource } from '../../agent/index.js';
import { receiveBundle } from '../../bundles/index.js';
import {
  dockerCredentials,
  formatReference,
  parseReference,
  RegistryBundle,
  RegistryClient,
} from '../../bundles/registry/index.js';
import { VespidError } from '../../errors/index.js';
import { type CheckedTrustOptions, openCheckedTrust } from '../checked-trust.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import {
  checkedStateOption,
  jsonOption,
  plainHttpOption,
  rootOption,
  trustOption,
  verboseOption,
} from '../shared-options.js';
import { factLines } from '../text-table.js';

interface PullOptions extends CheckedTrustOptions {
  readonly out: string;
  readonly plainHttp?: true;
}

export function pullCommand(): Command {
  return new Command('pull')
    .description('fetch a bundle from an OCI registry and verify it; only what is accepted is written')
    .argument('<reference>', 'HOST[:PORT]/REPOSITORY:TAG, or pinned: HOST[:PORT]/REPOSITORY@sha256:DIGEST')
    .addOption(trustOption())
    .requiredOption(
      '--out <path>',
      'bundle directory, or one file when it ends in .tar; an older bundle is replaced',
    )
    .addOption(checkedStateOption())
    .addOption(rootOption())
    .addOption(plainHttpOption())
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid pull registry.example/team/starter:1.4.0 --trust trust.yaml --out starter.bundle',
            'signatures first, then the files; exit code 3 and nothing written if refused',
          ],
          [
            'vespid pull registry.example/team/starter@sha256:<digest> --trust trust.yaml --out starter.tar',
            'exactly this bundle, as push printed it',
          ],
        ],
        json: `
{ "ok": true, "bundle": path, "name", "version" (if any), "digest", "reference": "HOST/REPOSITORY@sha256:...",
  "threshold": count, "signers": [{ "id", ... }], "ignoredReferrers": [{ "digest", "reason" }] }`,
      }),
    )
    .action(printReport(pull));
}

async function pull(referenceText: string, options: PullOptions): Promise<Report> {
  const reference = parseReference(referenceText);
  const now = new Date();
  const trust = openCheckedTrust(options, now);
  const client = new RegistryClient(reference, 'pull', {
    findCredentials: dockerCredentials(env),
    plainHttp: options.plainHttp === true,
  });
  const remote = await RegistryBundle.open(client, reference);
  const bundle = await receiveBundle(options.out, remote, async (source) => {
    const checked = await checkBundleSource(source, trust.policy, now).catch((error: unknown) => {
      throw withIgnored(error, remote);
    });
    trust.checkVersion(checked);
    return checked;
  });
  const pinned = formatReference({ ...reference, tag: undefined, digest: bundle.digest });
  return describePull(bundle, {
    out: options.out,
    pinned,
    threshold: trust.policy.threshold,
    ignored: remote.ignored,
  });
}

/** A signature that is missing may be one that was passed over. */
function withIgnored(error: unknown, { ignored }: RegistryBundle): unknown {
  if (!(error instanceof VespidError) || ignored.length === 0) return error;
  const { code, message, hint = '', details } = error;
  const [{ digest, reason } = { digest: '', reason: '' }] = ignored;
  return new VespidError(code, message, {
    hint: `${hint}; passed over: ${digest} (${reason})${ignored.length === 1 ? '' : `, and ${ignored.length - 1} more`}`,
    details: { ...details, ignoredReferrers: ignored },
    cause: error,
  });
}

interface PullFacts {
  readonly out: string;
  readonly pinned: string;
  readonly threshold: number;
  readonly ignored: RegistryBundle['ignored'];
}

function describePull(
  { name, version, digest, signers }: AcceptedBundle,
  { out, pinned, threshold, ignored }: PullFacts,
): Report {
  const text = factLines([
    ['pulled', out],
    ['name', name],
    ...(version === undefined ? [] : ([['version', version]] as const)),
    ['pin', pinned],
    ...signers.map(({ id }) => ['signed by', id] as const),
    ['threshold', `${threshold}, reached by ${signers.length}`],
    ...ignored.map(({ digest: other, reason }) => ['passed over', `${other}, ${reason}`] as const),
  ]).join('\n');
  return {
    text,
    json: {
      ...{ bundle: out, name, ...(version === undefined ? {} : { version }), digest, reference: pinned },
      ...{ threshold, signers, ignoredReferrers: ignored },
    },
  };
}
