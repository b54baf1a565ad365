import { env, stderr } from 'node:process';
import { Command } from 'commander';
import { type BundleDescription, inspectBundle } from '../../../signing/index.js';
import { openBundleSource, RecordingBundle } from '../../bundles/index.js';
import {
  dockerCredentials,
  formatReference,
  type PushProgress,
  parseReference,
  pushBundle,
  type Reference,
  RegistryClient,
} from '../../bundles/registry/index.js';
import { VespidError } from '../../errors/index.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, plainHttpOption, verboseOption } from '../shared-options.js';
import { factLines } from '../text-table.js';

interface PushOptions {
  readonly replaceTag?: true;
  readonly plainHttp?: true;
  readonly json?: true;
}

export function pushCommand(): Command {
  return new Command('push')
    .description('upload a bundle and its attestations to an OCI registry; only what is missing there')
    .argument('<bundle>', 'bundle directory or tar file')
    .argument('<reference>', 'HOST[:PORT]/REPOSITORY[:TAG]; the default tag is the version of the bundle')
    .option('--replace-tag', 'let the tag point to this bundle even if it points to another one now')
    .addOption(plainHttpOption())
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid push starter.bundle registry.example/team/starter:1.4.0',
            'login as with docker: docker login',
          ],
          [
            'vespid push starter.bundle registry.example/team/starter --json | jq -r .reference',
            'tag is the version; print what to pin',
          ],
        ],
        json: `
{ "ok": true, "bundle": path, "name", "digest", "tag" (if any), "reference": "HOST/REPOSITORY@sha256:...",
  "uploadedBlobs": count, "uploadedBytes", "addedAttestations": count, "movedTag": whether the tag is new there }`,
      }),
    )
    .action(printReport(push));
}

async function push(bundlePath: string, referenceText: string, options: PushOptions): Promise<Report> {
  const reference = parseReference(referenceText);
  const source = new RecordingBundle(await openBundleSource(bundlePath));
  const bundle = await inspectBundle(source);
  requireDigest(reference, bundle);
  const tag = tagFor(reference, bundle);
  const client = new RegistryClient(reference, 'pull,push', {
    findCredentials: dockerCredentials(env),
    plainHttp: options.plainHttp === true,
  });
  const result = await pushBundle(client, await source.recorded(), {
    tag,
    replaceTag: options.replaceTag === true,
    ...(stderr.isTTY && options.json !== true ? { onProgress: showProgress } : {}),
  });
  const pinned = formatReference({ ...reference, tag: undefined, digest: result.digest });
  const facts = factLines([
    ['pushed', bundlePath],
    ['name', bundle.name],
    ...(tag === undefined
      ? []
      : ([['tag', formatReference({ ...reference, tag, digest: undefined })]] as const)),
    ['pin', pinned],
    ['uploaded', `${result.uploadedBlobs} blobs, ${result.uploadedBytes} bytes`],
    ['attestations', `${result.addedAttestations} new there, of ${bundle.attestations.length}`],
  ]);
  const { digest, ...counts } = result;
  return {
    text: facts.join('\n'),
    json: {
      ...{ bundle: bundlePath, name: bundle.name, digest },
      ...(tag === undefined ? {} : { tag }),
      ...{ reference: pinned, ...counts },
    },
  };
}

/** Whoever names a digest says which bundle is meant. */
function requireDigest({ digest }: Reference, bundle: BundleDescription): void {
  if (digest === undefined || digest === bundle.digest) return;
  throw new VespidError(
    'REGISTRY_DIGEST_MISMATCH',
    `expected the bundle ${digest} that the reference names, found ${bundle.digest}`,
    { hint: 'push the bundle that was meant, or leave the digest out' },
  );
}

/** A version may have build metadata, and no tag a plus: Helm and others write an underscore for it, too. */
function tagFor({ tag, digest }: Reference, { version }: BundleDescription): string | undefined {
  const chosen = tag ?? version?.replaceAll('+', '_');
  if (chosen !== undefined || digest !== undefined) return chosen;
  throw new VespidError(
    'USAGE',
    'expected a tag in the reference, or a version in the bundle, found neither',
    {
      hint: 'write HOST/REPOSITORY:TAG, or sign the bundle with --bundle-version',
    },
  );
}

/** One line that is written over; the last one ends it. */
function showProgress({ done, total, uploadedBytes }: PushProgress): void {
  const end = done === total ? '\n' : '';
  stderr.write(`\rpushing: ${done} of ${total}, ${Math.ceil(uploadedBytes / 1024)} KiB uploaded${end}`);
}
