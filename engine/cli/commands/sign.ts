import { Command, Option } from 'commander';
import { VespidError } from '../../errors/index.js';
import { CONTENTS_JSON } from '../bundle-contents.js';
import { helpNotes } from '../help-text.js';
import { outputOf, printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';
import { addSignature } from '../sign/add-signature.js';
import { keylessOptions } from '../sign/keyless-options.js';
import { signNewBundle } from '../sign/sign-bundle.js';
import type { SignOptions } from '../sign/sign-options.js';
import { signProgress } from '../sign/sign-progress.js';
import { signerOptions } from '../signer-options.js';

const EXAMPLES = [
  ['vespid sign policies/ --key ci.key --out starter.bundle', 'every policy and object of a directory'],
  [
    'vespid sign a.yaml vendor.bpf.o --key ci.key --out edge.tar --bundle-version 1.4.0',
    'with a program of others, as one file',
  ],
  ['vespid sign policies/ --key-env SIGNING_KEY --out starter.bundle', 'with the secret of a CI job'],
  [
    'vespid sign policies/ --sign-command "kms-sign prod" --public-key prod.pub --out starter.bundle',
    'with a key that another program keeps',
  ],
  ['vespid sign policies/ --keyless --out starter.bundle', "with the CI job's own identity, by Sigstore"],
  ['vespid sign --add starter.bundle --key security.key', 'a second signer for what the first one signed'],
] as const;

const JSON_FORM = `
{ "ok": true, "bundle": path, "name", "version" (if any), "digest", "signers": [label], "warnings": [sentence],
  "provenance": whether there is one, "attestations": count (with --add),
  ${CONTENTS_JSON} }`;

export function signCommand(): Command {
  const command = new Command('sign')
    .description(
      'compile policies, add objects, and pack and sign them as one bundle; or sign an existing one',
    )
    .argument('[inputs...]', 'policies and .bpf.o objects, told apart by content, or directories of them')
    .option(
      '--out <path>',
      'bundle directory (an OCI image layout) or .tar file; an older bundle is replaced',
    )
    .option('--name <name>', 'name of the bundle (default: the last part of --out)')
    .option('--bundle-version <version>', 'Semantic Versioning; nodes refuse to go back to a lower one');
  for (const option of [...signerOptions(), ...keylessOptions()]) command.addOption(option);
  return command
    .addOption(
      new Option(
        '--provenance <auto|none|file>',
        'how it was built, attested beside it: SLSA provenance v1',
      ).default('auto', 'of the job in GitHub Actions or GitLab CI'),
    )
    .option(
      '--add <bundle>',
      'add signers to this bundle, after its claims are computed again from its bytes',
    )
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText('after', helpNotes({ examples: EXAMPLES, json: JSON_FORM }))
    .action(printReport(sign));
}

async function sign(paths: readonly string[], options: SignOptions, command: Command): Promise<Report> {
  const progress = signProgress(options.json !== true);
  if (options.add === undefined) {
    if (paths.length > 0) return signNewBundle(paths, options, progress);
    throw new VespidError('USAGE', 'expected something to sign, found nothing', {
      hint: 'name policies (.yaml), objects (.bpf.o) or directories of them, or a bundle by --add',
    });
  }
  if (paths.length > 0) {
    throw new VespidError('USAGE', `expected no inputs beside --add, found ${paths.join(', ')}`, {
      hint: 'a signature is added to what the bundle holds; leave the inputs away',
    });
  }
  const { writeErr } = outputOf(command);
  const show = (text: string) => {
    if (options.json !== true) writeErr(`Vouching for:\n\n${text}\n\n`);
  };
  return addSignature(options.add, options, progress, show);
}
