import { basename, resolve } from 'node:path';
import { createBundle, inspectBundle, MemoryBundle } from '../../../signing/index.js';
import { writeBundle } from '../../bundles/index.js';
import { VespidError } from '../../errors/index.js';
import { computePredicate } from '../../loader/index.js';
import { contentsLines } from '../bundle-contents.js';
import { expandDirectories, readInputFile } from '../input-file.js';
import { packageVersion } from '../package-version.js';
import { POLICY_ENDINGS } from '../policy-set.js';
import type { Report } from '../report.js';
import { assembleSigningInput } from '../signing-input.js';
import { factLines } from '../text-table.js';
import { announcing, openAllSigners } from './open-all-signers.js';
import { chooseProvenance } from './provenance-choice.js';
import type { SignOptions } from './sign-options.js';
import type { SignProgress } from './sign-progress.js';

/**
 * Compiles policies, adds objects, and writes them as one bundle with an attestation by each signer.
 *
 * @throws VespidError USAGE, SIGN_*, POLICY_*, COMPILE_*, PROVENANCE_*, KEY_*, SIGNER_*, INPUT_*, OUTPUT_*
 */
export async function signNewBundle(
  paths: readonly string[],
  options: SignOptions,
  progress: SignProgress,
): Promise<Report> {
  const out = requireOut(options);
  const provenance = chooseProvenance(options.provenance);
  const { signers, warnings: signerWarnings } = await openAllSigners(options);
  const files = expandDirectories(paths, [...POLICY_ENDINGS, '.bpf.o']).map(readInputFile);
  progress(`compiling ${countOf(files.length, 'file')}`);
  const name = options.name ?? defaultName(out);
  const { input, warnings } = assembleSigningInput(name, files);
  progress(`computing claims about ${countOf(input.objects.length, 'object')}`);
  const predicate = computePredicate(input, packageVersion());
  const version = options.bundleVersion === undefined ? {} : { version: options.bundleVersion };
  const announced = announcing(signers, progress);
  const bundle = await createBundle({ ...input, ...version }, predicate, announced, provenance);
  await writeBundle(out, bundle);
  const { digest, policies, objects } = await inspectBundle(new MemoryBundle(bundle));
  const contents = { policies, objects, predicate };
  const facts = factLines([
    ['bundle', out],
    ['name', name],
    ...Object.entries(version),
    ['digest', digest],
    ...signers.map(({ label }) => ['signed by', label] as const),
    ...(provenance === undefined ? [] : [['provenance', provenance.runDetails.builder.id] as const]),
  ]);
  return {
    text: [...facts, '', ...contentsLines(contents)].join('\n'),
    json: {
      ...{ bundle: out, name, ...version, digest, signers: signers.map(({ label }) => label) },
      ...{ provenance: provenance !== undefined, ...contents },
    },
    warnings: [...signerWarnings, ...warnings],
  };
}

function requireOut({ out }: SignOptions): string {
  if (out !== undefined) return out;
  throw new VespidError('USAGE', 'expected --out, found none', {
    hint: 'say where the bundle goes: --out DIR, or --out FILE.tar',
  });
}

/** The last part of --out, without the ending of a tar file. */
function defaultName(out: string): string {
  return basename(resolve(out)).replace(/\.tar$/, '');
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
