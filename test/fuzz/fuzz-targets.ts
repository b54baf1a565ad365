import type { FuzzTarget } from './fuzz-target.js';
import { assembly } from './targets/assembly.js';
import { btf } from './targets/btf.js';
import { btfExt } from './targets/btf-ext.js';
import { bundle } from './targets/bundle.js';
import { claims } from './targets/claims.js';
import { core } from './targets/core.js';
import { disassembly } from './targets/disassembly.js';
import { elf } from './targets/elf.js';
import { instructions } from './targets/instructions.js';
import { misbehaving } from './targets/misbehaving.js';
import { object } from './targets/object.js';
import { privateKey } from './targets/private-key.js';
import { sectionName } from './targets/section-name.js';
import { signedPolicy } from './targets/signed-policy.js';
import { sigstoreBundle } from './targets/sigstore-bundle.js';
import { splitBtf } from './targets/split-btf.js';
import { stateFile } from './targets/state-file.js';
import { statement } from './targets/statement.js';
import { tar } from './targets/tar.js';
import { trustPolicy } from './targets/trust-policy.js';
import { verifierLog } from './targets/verifier-log.js';

/** Every reader that is fuzzed. */
export const FUZZ_TARGETS: readonly FuzzTarget[] = [
  elf,
  object,
  btf,
  splitBtf,
  btfExt,
  core,
  sectionName,
  instructions,
  assembly,
  disassembly,
  verifierLog,
  claims,
  bundle,
  tar,
  sigstoreBundle,
  statement,
  trustPolicy,
  signedPolicy,
  stateFile,
  privateKey,
];

/** @throws Error naming the targets that there are */
export function fuzzTargetNamed(name: string): FuzzTarget {
  const target = [...FUZZ_TARGETS, misbehaving].find((candidate) => candidate.name === name);
  if (target !== undefined) return target;
  throw new Error(
    `there is no target ${name}; there are ${FUZZ_TARGETS.map((each) => each.name).join(', ')}`,
  );
}
