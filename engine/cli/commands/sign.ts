import { basename, resolve } from 'node:path';
import { Command } from 'commander';
import { createBundle, inspectBundle, KeySigner, MemoryBundle } from '../../../signing/index.js';
import { writeBundle } from '../../bundles/index.js';
import { computePredicate } from '../../loader/index.js';
import { openKeyFile, type PassphraseOptions } from '../../signers/index.js';
import { CONTENTS_JSON, contentsLines } from '../bundle-contents.js';
import { helpNotes } from '../help-text.js';
import { expandDirectories, readInputFile } from '../input-file.js';
import { packageVersion } from '../package-version.js';
import { POLICY_ENDINGS } from '../policy-set.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, passphraseOptions, verboseOption } from '../shared-options.js';
import { assembleSigningInput } from '../signing-input.js';
import { processSurroundings } from '../surroundings.js';
import { factLines } from '../text-table.js';

interface SignOptions extends PassphraseOptions {
  readonly key: string;
  readonly out: string;
  readonly name?: string;
}

export function signCommand(): Command {
  const command = new Command('sign')
    .description('compile policies, add objects, and pack and sign them as one bundle')
    .argument('<inputs...>', 'policies and .bpf.o objects, told apart by content, or directories of them')
    .requiredOption('--key <file>', 'private key: PKCS#8 PEM, Ed25519')
    .requiredOption(
      '--out <dir>',
      'bundle directory (an OCI image layout); an older bundle there is replaced',
    )
    .option('--name <name>', 'name of the bundle (default: the last part of --out)')
    .addOption(jsonOption())
    .addOption(verboseOption());
  for (const option of passphraseOptions()) command.addOption(option);
  return command
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          [
            'vespid sign policies/ --key ci.key --out starter.bundle',
            'every policy and object of a directory',
          ],
          [
            'vespid sign a.yaml vendor.bpf.o --key ci.key --out b.bundle --name edge',
            'with a program of others',
          ],
        ],
        json: `
{ "ok": true, "bundle": path, "name", "digest", "keyId", "warnings": [sentence],
  ${CONTENTS_JSON} }`,
      }),
    )
    .action(printReport(sign));
}

async function sign(paths: readonly string[], options: SignOptions): Promise<Report> {
  const { signer, warnings: keyWarnings } = await openKeyFile(options.key, options, processSurroundings);
  const files = expandDirectories(paths, [...POLICY_ENDINGS, '.bpf.o']).map(readInputFile);
  const name = options.name ?? basename(resolve(options.out));
  const { input, warnings } = assembleSigningInput(name, files);
  const predicate = computePredicate(input, packageVersion());
  const bundle = await createBundle(input, predicate, [new KeySigner(signer)]);
  await writeBundle(options.out, bundle);
  const { digest, policies, objects } = await inspectBundle(new MemoryBundle(bundle));
  const contents = { policies, objects, predicate };
  const facts = factLines([
    ['bundle', options.out],
    ['name', name],
    ['digest', digest],
    ['signed by', `key ${signer.keyId}`],
  ]);
  return {
    text: [...facts, '', ...contentsLines(contents)].join('\n'),
    json: { bundle: options.out, name, digest, keyId: signer.keyId, ...contents },
    warnings: [...keyWarnings, ...warnings],
  };
}
