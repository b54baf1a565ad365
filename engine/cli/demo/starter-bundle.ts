import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parsePolicies } from '../../../policies/language/index.js';
import {
  createBundle,
  generateKeyPair,
  KeySigner,
  parsePrivateKey,
  type VerifiedBundle,
} from '../../../signing/index.js';
import { openBundle } from '../../agent/index.js';
import { writeBundle } from '../../bundles/index.js';
import { compilePolicies } from '../../compiler/index.js';
import { computePredicate } from '../../loader/index.js';
import { openTrustPolicy } from '../../trust/index.js';
import { packageVersion } from '../package-version.js';

/** `policies/library`, both from the sources and from `dist`. */
const LIBRARY_CANDIDATES = ['../../../../policies/library', '../../../policies/library'];

export interface StarterBundle {
  readonly verified: VerifiedBundle;
  readonly policyCount: number;
  readonly programCount: number;
  readonly keyId: string;
}

/**
 * What a CI job and a node do, in one folder: makes a key pair, compiles and signs the policy library, writes the
 * bundle, and opens it again by a trust policy.
 *
 * @throws VespidError POLICY_*, BUNDLE_*, INPUT_*
 */
export async function makeStarterBundle(workspace: string): Promise<StarterBundle> {
  const keys = generateKeyPair();
  writeFileSync(join(workspace, 'demo.key'), keys.privateKeyPem, { mode: 0o600 });
  writeFileSync(join(workspace, 'demo.pub'), keys.publicKeyPem);
  const trustFile = join(workspace, 'trust.yaml');
  writeFileSync(trustFile, TRUST_POLICY);

  const policyFiles = readLibrary();
  const policies = policyFiles.flatMap(({ name, bytes }) =>
    parsePolicies(new TextDecoder().decode(bytes), name),
  );
  const objects = compilePolicies(policies).map(({ name, bytes }) => ({ name, bytes }));
  const input = { name: 'starter', policies: policyFiles, objects };
  const predicate = computePredicate(input, packageVersion());
  const signer = new KeySigner(parsePrivateKey(keys.privateKeyPem, 'demo.key'));
  const bundle = join(workspace, 'starter.bundle');
  await writeBundle(bundle, await createBundle(input, predicate, [signer]));

  const verified = await openBundle(bundle, openTrustPolicy(trustFile), new Date());
  return {
    verified,
    policyCount: policies.length,
    programCount: predicate.programs.length,
    keyId: keys.keyId,
  };
}

const TRUST_POLICY = `apiVersion: vespid.dev/v1
kind: TrustPolicy
threshold: 1
keys:
  - id: demo
    publicKey: demo.pub
`;

function readLibrary(): { name: string; bytes: Uint8Array }[] {
  const directory = libraryDirectory();
  return readdirSync(directory)
    .filter((name) => name.endsWith('.yaml'))
    .sort()
    .map((name) => ({ name, bytes: readFileSync(join(directory, name)) }));
}

function libraryDirectory(): string {
  const directories = LIBRARY_CANDIDATES.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  const found = directories.find((directory) => readable(directory));
  return found ?? directories[0] ?? '.';
}

function readable(directory: string): boolean {
  try {
    return readdirSync(directory).length > 0;
  } catch {
    return false;
  }
}
