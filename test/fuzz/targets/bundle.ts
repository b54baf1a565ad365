import { ERROR_CODES, type ErrorCode } from '../../../engine/errors/index.js';
import { acceptBundle, type BundleFiles, MemoryBundle } from '../../../signing/index.js';
import { readdress, resign } from '../../signing/forged-bundle.js';
import {
  CI_KEY,
  NOW,
  RELEASE_KEY,
  SAMPLE_BUNDLE,
  STRANGER_KEY,
  sha256,
  TRUST_CI,
  TWICE_SIGNED,
  trustIn,
} from '../../signing/sample-bundle.js';
import type { FuzzTarget } from '../fuzz-target.js';
import { mutateBytes } from '../mutation/mutate-bytes.js';
import { mutateText } from '../mutation/mutate-text.js';
import { packParts, unpackParts } from '../parts.js';
import type { Random } from '../random.js';

/** Every code with which a bundle may be refused, and no other. */
export const BUNDLE_CODES: readonly ErrorCode[] = (Object.keys(ERROR_CODES) as ErrorCode[]).filter(
  (code) => code.startsWith('BUNDLE_') && ERROR_CODES[code].exit === 3,
);

const GOOD: readonly BundleFiles[] = [SAMPLE_BUNDLE, TWICE_SIGNED];
/** Digests of everything that was ever signed. */
const SIGNED_BLOBS = new Set(GOOD.flatMap((files) => [...files.values()].map((bytes) => sha256(bytes))));
const POLICIES = [TRUST_CI, trustIn({ ci: CI_KEY, release: RELEASE_KEY }, 2)];

/**
 * Whole bundles, as the files that they are. What is accepted must be what was signed: a policy or object with any
 * other byte is a fault, not only an error that is not documented.
 */
export const bundle: FuzzTarget = {
  name: 'bundle',
  codes: BUNDLE_CODES,
  seeds: () => GOOD.map(pack),
  mutate: (random, seed) => {
    const files = unpack(seed);
    return pack(orElse(files, () => mutateBundle(random, files)));
  },
  run: async (input) => {
    const files = unpack(input);
    for (const policy of POLICIES) {
      try {
        await acceptSigned(files, policy);
      } catch (error) {
        // One policy that refuses does not keep the other from being asked.
        if (policy === POLICIES.at(-1)) throw error;
      }
    }
  },
};

async function acceptSigned(files: BundleFiles, policy: (typeof POLICIES)[number]): Promise<void> {
  const accepted = await acceptBundle(new MemoryBundle(files), policy, NOW);
  for await (const { name, bytes } of accepted.files()) {
    if (!SIGNED_BLOBS.has(sha256(bytes))) throw new Error(`${name} was accepted, and nobody signed it`);
  }
}

/** A file changed blindly; a document changed and all digests on the way made to fit; or what a signer could sign. */
function mutateBundle(random: Random, files: BundleFiles): BundleFiles {
  const path = random.pick([...files.keys()]);
  const bytes = files.get(path) ?? new Uint8Array();
  const text = (edit: Uint8Array) => new TextDecoder().decode(edit);
  const others = [...files.values()].map(text);
  switch (random.below(6)) {
    case 0:
      return new Map(files).set(path, mutateBytes(random, bytes, [...files.values()]));
    case 1:
      return moved(random, files, path);
    case 2:
      return resigned(random, files, others);
    default:
      return readdress(files, path, new TextEncoder().encode(mutateText(random, text(bytes), others)));
  }
}

function moved(random: Random, files: BundleFiles, path: string): BundleFiles {
  const changed = new Map(files);
  if (random.once(2)) changed.delete(path);
  changed.set(mutateText(random, path, [...files.keys()]), files.get(path) ?? new Uint8Array());
  return changed;
}

function resigned(random: Random, files: BundleFiles, others: readonly string[]): BundleFiles {
  const edit = (payload: string) => mutateText(random, payload, others);
  return resign(files, random.pick([CI_KEY, RELEASE_KEY, STRANGER_KEY]), edit);
}

/** Not every change can be made to fit: two attestations for one, an index that is none, a circle of references. */
function orElse(files: BundleFiles, change: () => BundleFiles): BundleFiles {
  try {
    return change();
  } catch {
    return files;
  }
}

function pack(files: BundleFiles): Uint8Array {
  return packParts([...files].flatMap(([path, bytes]) => [new TextEncoder().encode(path), bytes]));
}

function unpack(packed: Uint8Array): BundleFiles {
  const parts = unpackParts(packed);
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + 1 < parts.length; at += 2) {
    files.set(new TextDecoder().decode(parts[at]), parts[at + 1] ?? new Uint8Array());
  }
  return files;
}
