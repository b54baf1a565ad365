import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { compilePolicies } from '../../../engine/compiler/index.js';
import { computePredicate } from '../../../engine/loader/index.js';
import { parsePolicies } from '../../../policies/language/index.js';
import type { BundleInput, BundlePredicate } from '../../../signing/index.js';
import { packageRoot } from '../package-root.js';

const PROGRAMS = 100;

/** What is signed and verified, with what is stated of it. */
export interface SigningSample {
  readonly input: BundleInput;
  readonly predicate: BundlePredicate;
}

/**
 * The policies that we ship, compiled again and again under other names, until a bundle of them holds a hundred
 * programs: no two of its files are alike.
 */
export function hundredPrograms(): SigningSample {
  const texts = libraryTexts();
  let input: BundleInput = { name: 'hundred', policies: [], objects: [] };
  let predicate = computePredicate(input, '0.0.0');
  for (let edition = 1; predicate.programs.length < PROGRAMS; edition++) {
    input = addEdition(input, texts, edition);
    predicate = computePredicate(input, '0.0.0');
  }
  return { input, predicate };
}

function libraryTexts(): readonly { readonly name: string; readonly text: string }[] {
  const folder = join(packageRoot(), 'policies/library');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}

function addEdition(
  { name, policies, objects }: BundleInput,
  texts: ReturnType<typeof libraryTexts>,
  edition: number,
): BundleInput {
  const editions = texts.map((policy) => ({
    name: `edition-${edition}-${policy.name}`,
    text: policy.text.replace(/^ {2}name: (\S+)$/gm, `  name: $1-${edition}`),
  }));
  const compiled = compilePolicies(
    editions.flatMap((policy) => parsePolicies(policy.text, policy.name)).sort(byName),
  );
  return {
    name,
    policies: [
      ...policies,
      ...editions.map((policy) => ({ name: policy.name, bytes: new TextEncoder().encode(policy.text) })),
    ],
    objects: [
      ...objects,
      ...compiled.map((object) => ({ name: `edition-${edition}-${object.name}`, bytes: object.bytes })),
    ],
  };
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}
