import { createHash } from 'node:crypto';
import type { MapClaim, ProgramClaim, StructOpsClaim } from '../../../signing/index.js';
import {
  essentialName,
  helperName,
  mapTypeName,
  type ObjectFile,
  type ObjectFunction,
  type ObjectMap,
  programEffects,
  programFacts,
  type StructOpsMap,
} from '../../bytecode/index.js';

/**
 * What can be said of every program of an object from its bytes: what a signer signs, and what the loader computes
 * again from the same bytes.
 *
 * @throws VespidError OBJECT_SECTION_UNKNOWN, OBJECT_MALFORMED
 */
export function programClaims(object: ObjectFile): readonly ProgramClaim[] {
  return object.programs.map((program) => programClaim(object, program));
}

function programClaim(object: ObjectFile, program: ObjectFunction): ProgramClaim {
  const facts = programFacts(object, program);
  return {
    object: object.name,
    section: facts.section,
    name: facts.name,
    type: kernelSpelling(facts.programTypeName),
    attachType: kernelSpelling(facts.attachTypeName ?? ''),
    attachTarget: facts.attachTarget ?? '',
    license: facts.license,
    instructionCount: facts.instructionCount,
    sha256: createHash('sha256').update(facts.instructions).digest('hex'),
    maps: object.maps.filter(({ name }) => facts.maps.includes(name)).map(mapClaim),
    helpers: facts.helperIds.map(helperLabel),
    kfuncs: facts.kfuncs,
    kernelSymbols: facts.kernelSymbols,
    sleepable: facts.sleepable,
    coreRelocationCount: facts.coreRelocationCount,
    effects: programEffects(facts),
  };
}

/** What can be said of every set of kernel callbacks in an object. */
export function structOpsClaims(object: ObjectFile): readonly StructOpsClaim[] {
  return object.structOps.map((variable) => structOpsClaim(object, variable));
}

function structOpsClaim(object: ObjectFile, variable: StructOpsMap): StructOpsClaim {
  return {
    object: object.name,
    name: variable.name,
    type: essentialName(variable.typeName),
    link: variable.isLink,
    loadedByDefault: variable.isLoadedByDefault,
    members: variable.functions.map(({ member, program }) => ({ member, program: program.name })),
  };
}

function mapClaim({ name, type, keySize, valueSize, maxEntries, flags }: ObjectMap): MapClaim {
  const typeName = mapTypeName(type);
  return {
    name,
    type: typeName === undefined ? `map#${type}` : kernelSpelling(typeName),
    ...{ keySize, valueSize, maxEntries, flags },
  };
}

/** The kernel's name, or `helper#999` for one that is newer than our table. */
function helperLabel(id: number): string {
  const name = helperName(id);
  return name === undefined ? `helper#${id}` : `bpf_${name}`;
}

/** Our `cgroup-sock-addr` and `percpuHash` as bpftool prints them: `cgroup_sock_addr`, `percpu_hash`. */
function kernelSpelling(name: string): string {
  return name.replaceAll('-', '_').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
