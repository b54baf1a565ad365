import {
  addAttestation,
  type BundlePredicate,
  type BundleSource,
  inspectBundle,
  MemoryBundle,
  type StatementCheck,
} from '../../../signing/index.js';
import { openBundleSource, writeBundle } from '../../bundles/index.js';
import { VespidError } from '../../errors/index.js';
import { checkFileClaims } from '../../loader/index.js';
import { contentsLines } from '../bundle-contents.js';
import { escapeLines } from '../outcome.js';
import type { Report } from '../report.js';
import { factLines } from '../text-table.js';
import { announcing, openAllSigners } from './open-all-signers.js';
import type { SignOptions } from './sign-options.js';
import type { SignProgress } from './sign-progress.js';

/**
 * Adds signers to a bundle that exists. They sign the very bytes that the first signer signed, after every claim in
 * them was computed again from the files; the other signatures are not what this rests on.
 *
 * @param show prints what is being vouched for, before anybody signs
 * @throws VespidError USAGE, BUNDLE_*, KEY_*, SIGNER_*, INPUT_*, OUTPUT_*
 */
export async function addSignature(
  bundlePath: string,
  options: SignOptions,
  progress: SignProgress,
  show: (text: string) => void,
): Promise<Report> {
  refuseNewContent(options);
  const { signers, warnings } = await openAllSigners(options);
  progress(`reading ${bundlePath}`);
  let source: BundleSource = await openBundleSource(bundlePath);
  const { name, version, digest, policies, objects, attestations: before } = await inspectBundle(source);
  let predicate: BundlePredicate | undefined;
  const check: StatementCheck = (statement, files) => {
    for (const file of files) checkFileClaims(statement.predicate, file);
    if (predicate !== undefined) return;
    predicate = statement.predicate;
    show(escapeLines(contentsLines({ policies, objects, predicate }).join('\n')));
  };
  for (const signer of announcing(signers, progress)) {
    source = new MemoryBundle(await addAttestation(source, signer, check), bundlePath);
  }
  const out = options.out ?? bundlePath;
  const { attestations } = await inspectBundle(source);
  await writeBundle(out, await filesOf(source));
  const labels = signers.map(({ label }) => label);
  const facts = factLines([
    ['bundle', out],
    ['name', name],
    ...(version === undefined ? [] : [['version', version] as const]),
    ['digest', digest],
    ...labels.map((label) => ['signature added', label] as const),
    ['attestations', String(attestations.length)],
  ]);
  return {
    text: facts.join('\n'),
    json: {
      ...{ bundle: out, name, ...(version === undefined ? {} : { version }), digest, signers: labels },
      ...{ attestations: attestations.length, policies, objects, predicate },
    },
    warnings: [...warnings, ...(attestations.length > before.length ? [] : [NOTHING_ADDED])],
  };
}

const NOTHING_ADDED = 'nothing was added: these signers had signed this bundle before';

/** What a bundle holds is signed already; nothing of it can be chosen any more. */
function refuseNewContent({ name, bundleVersion, provenance }: SignOptions): void {
  const given = [
    ...(name === undefined ? [] : ['--name']),
    ...(bundleVersion === undefined ? [] : ['--bundle-version']),
    ...(provenance === 'auto' || provenance === 'none' ? [] : ['--provenance']),
  ];
  if (given.length === 0) return;
  throw new VespidError('USAGE', `expected --add alone, found ${given.join(' and ')} beside it`, {
    hint: 'what was signed cannot be changed; sign the policies and objects themselves for a new bundle',
  });
}

async function filesOf(source: BundleSource): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const path of (await source.list()).keys()) files.set(path, await source.read(path));
  return files;
}
