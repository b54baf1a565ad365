import { createHash } from 'node:crypto';
import type { MapClaim, ProgramClaim, StructOpsClaim } from '../../../signing/index.js';
import {
  EffectsOfObject,
  essentialName,
  helperName,
  mapTypeName,
  type ObjectFile,
  type ObjectMap,
  type ProgramEffect,
  type ProgramFacts,
  programFacts,
  type StructOpsMap,
} from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';

/**
 * Slots, line records and CO-RE records of all programs of an object as they are linked: each with all that it
 * calls, so that a small file of a thousand programs that share large functions is gigabytes of code. Four programs
 * of the kernel's largest size.
 */
const MAX_LINKED_RECORDS = 4_000_000;

/**
 * What can be said of every program of an object from its bytes: what a signer signs, and what the loader computes
 * again from the same bytes.
 *
 * @throws VespidError OBJECT_SECTION_UNKNOWN, OBJECT_MALFORMED, OBJECT_UNSUPPORTED for one without programs or with
 *   too much code
 */
export function programClaims(object: ObjectFile): readonly ProgramClaim[] {
  if (object.programs.length === 0) {
    throw new VespidError('OBJECT_UNSUPPORTED', `${object.name} holds no program`, {
      hint: 'nothing of it would be loaded; leave it out of the bundle',
    });
  }
  const effects = new EffectsOfObject(object);
  const mapsByName = new Map(object.maps.map((map) => [map.name, map]));
  let recordCount = 0;
  return object.programs.map((program) => {
    const facts = programFacts(object, program);
    recordCount += facts.instructionCount + facts.lineCount + facts.coreRelocationCount;
    if (recordCount > MAX_LINKED_RECORDS) throw tooMuchCode(object.name);
    const maps = facts.maps.flatMap((name) => mapsByName.get(name) ?? []);
    return programClaim(object.name, facts, maps, effects.of(program));
  });
}

function tooMuchCode(objectName: string): VespidError {
  return new VespidError(
    'OBJECT_UNSUPPORTED',
    `${objectName}: its programs, each with all that it calls, have more than ${MAX_LINKED_RECORDS} instructions`,
    { hint: 'split the object, so that fewer programs share large functions' },
  );
}

function programClaim(
  object: string,
  facts: ProgramFacts,
  maps: readonly ObjectMap[],
  effects: readonly ProgramEffect[],
): ProgramClaim {
  return {
    object,
    section: facts.section,
    name: facts.name,
    type: kernelSpelling(facts.programTypeName),
    attachType: kernelSpelling(facts.attachTypeName ?? ''),
    attachTarget: facts.attachTarget ?? '',
    license: facts.license,
    instructionCount: facts.instructionCount,
    sha256: createHash('sha256').update(facts.instructions).digest('hex'),
    maps: maps.map(mapClaim),
    helpers: facts.helperIds.map(helperLabel),
    kfuncs: facts.kfuncs,
    kernelSymbols: facts.kernelSymbols,
    sleepable: facts.sleepable,
    coreRelocationCount: facts.coreRelocationCount,
    effects,
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
