import { createHash } from 'node:crypto';
import type { ProgramClaim, VerifiedBundle } from '../../signing/index.js';
import { normalizeProgramClaims } from '../../signing/index.js';
import {
  ATTACH_TYPE,
  type ObjectFile,
  type ObjectFunction,
  programFacts,
  readObject,
} from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';

/**
 * What can be said of every program of an object from its bytes: the claims that a signer signs, and that the
 * loader computes again from the same bytes.
 *
 * @throws VespidError ELF_*, BTF_*, OBJECT_*
 */
export function computeClaims(name: string, bytes: Uint8Array): ProgramClaim[] {
  const object = readObject(bytes, name);
  return object.programs.map((program) => claimOf(object, program));
}

function claimOf(object: ObjectFile, program: ObjectFunction): ProgramClaim {
  const facts = programFacts(object, program);
  return {
    object: object.name,
    section: facts.section,
    name: facts.name,
    type: facts.programTypeName,
    attachType: attachTypeName(facts.attachType, facts.attachBtf !== null),
    attachTarget: facts.attachTarget ?? '',
    license: facts.license,
    instructionCount: facts.instructionCount,
    sha256: createHash('sha256').update(facts.instructions).digest('hex'),
    maps: object.maps
      .filter((map) => facts.maps.includes(map.name))
      .map(({ name, type, keySize, valueSize, maxEntries }) => ({
        name,
        type: String(type),
        keySize,
        valueSize,
        maxEntries,
      })),
    helpers: facts.helperIds,
    kfuncs: facts.kfuncs,
  };
}

/** 0 is both "none" and BPF_CGROUP_INET_INGRESS: a program without a target and with 0 has none. */
function attachTypeName(attachType: number, hasTarget: boolean): string {
  if (attachType === 0 && !hasTarget) return '';
  return Object.entries(ATTACH_TYPE).find(([, number]) => number === attachType)?.[0] ?? String(attachType);
}

/**
 * Compares what the signers state with what the objects hold.
 *
 * @throws VespidError BUNDLE_CLAIM_FALSE when they differ in anything, and the errors of {@link computeClaims}
 */
export function checkClaims(bundle: VerifiedBundle): void {
  const actual = normalizeProgramClaims(
    bundle.objects.flatMap(({ name, bytes }) => computeClaims(name, bytes)),
  );
  const stated = normalizeProgramClaims(bundle.claims);
  const key = (claim: ProgramClaim) => `${claim.object}#${claim.section}/${claim.name}`;
  const statedByKey = new Map(stated.map((claim) => [key(claim), JSON.stringify(claim)]));
  for (const claim of actual) {
    const found = statedByKey.get(key(claim));
    statedByKey.delete(key(claim));
    if (found === JSON.stringify(claim)) continue;
    throw falseClaim(
      bundle,
      key(claim),
      found === undefined ? 'does not state it' : 'states something else of it',
    );
  }
  const [missing] = statedByKey.keys();
  if (missing !== undefined) throw falseClaim(bundle, missing, 'states it, but no object holds it');
}

function falseClaim(bundle: VerifiedBundle, program: string, what: string): VespidError {
  return new VespidError(
    'BUNDLE_CLAIM_FALSE',
    `bundle ${bundle.name}, program ${program}: the attestation ${what}`,
    {
      hint: 'sign the bundle again; if you did not expect this, treat the signer as compromised',
      details: { bundle: bundle.digest, program },
    },
  );
}
