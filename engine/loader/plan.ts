import {
  ATTACHABLE_HOOKS,
  type AttachableHook,
  type AttachCandidate,
  type Capability,
  type Effect,
  hookMaps,
  MAX_SCRATCH_BYTES,
} from '../../lsm-hooks/index.js';
import type { NamedBytes } from '../../signing/index.js';
import { type ObjectFile, type ObjectFunction, parseSectionName, readObject } from '../bytecode/index.js';
import { decodeRuleTable, deliveredEffect, type RuleTable } from '../compiler/index.js';
import { VespidError } from '../errors/index.js';
import type { Feature, KernelFeatures } from '../kernel/index.js';

/** What will be loaded of one object, decided before anything touches the kernel. */
export interface ObjectPlan {
  readonly object: ObjectFile;
  readonly programs: readonly ObjectFunction[];
  /** For an object compiled from policies. */
  readonly rules: RulePlan | undefined;
}

export interface RulePlan {
  readonly table: RuleTable;
  readonly candidate: AttachCandidate;
  /** By rule index: a weaker effect that the operator accepted with `--degrade`. */
  readonly degraded: ReadonlyMap<number, { readonly delivered: Effect; readonly reason: string }>;
}

/** Whether this kernel can attach a candidate. */
export function featureFor(features: KernelFeatures, capability: Capability): Feature {
  switch (capability) {
    case 'bpf-lsm':
      return features.bpfLsm;
    case 'tracepoint-btf':
      return features.tracepointBtf;
    case 'cgroup-sock-addr':
      return features.cgroupSockAddr;
  }
}

/**
 * Chooses the programs of a verified object that this kernel can run.
 *
 * @throws VespidError EFFECT_NOT_DELIVERABLE, HOOK_NOT_ATTACHABLE, ELF_*, BTF_*, OBJECT_*
 */
export function planObject(
  file: NamedBytes,
  features: KernelFeatures,
  options: { readonly degrade: boolean },
): ObjectPlan {
  const object = readObject(file.bytes, file.name);
  if (object.metadata.byteLength === 0) return planForeignObject(object);
  const table = decodeRuleTable(object.metadata, file.name);
  const hook = ATTACHABLE_HOOKS.get(table.hook);
  if (hook === undefined) {
    throw new VespidError(
      'HOOK_NOT_ATTACHABLE',
      `${file.name} is for the hook ${table.hook}, which is not known here`,
      {
        hint: 'it was compiled by a newer version; update this one',
      },
    );
  }
  checkMaps(object);
  const candidate = chooseCandidate(hook, table, features);
  const degraded = degradations(candidate, table);
  const [first] = degraded;
  if (first !== undefined && !options.degrade) throw notDeliverable(candidate, table, first[0], first[1]);
  const sections = new Set(candidate.points.map((point) => point.section));
  const programs = object.programs.filter((program) => sections.has(program.section));
  if (programs.length !== candidate.points.length) {
    throw new VespidError(
      'HOOK_NOT_ATTACHABLE',
      `${file.name} lacks programs of the attach point ${candidate.id}`,
      {
        hint: 'compile and sign the policies again with this version',
      },
    );
  }
  return { object, programs, rules: { table, candidate, degraded } };
}

function planForeignObject(object: ObjectFile): ObjectPlan {
  const programs = object.programs.filter((program) => parseSectionName(program.section).isLoadedByDefault);
  return { object, programs, rules: undefined };
}

/** Objects of ours all have the same maps; they are joined and read by these sizes. */
function checkMaps(object: ObjectFile): void {
  for (const expected of hookMaps(MAX_SCRATCH_BYTES)) {
    const found = object.maps.find(({ name }) => name === expected.name);
    const fits =
      found !== undefined &&
      found.type === expected.type &&
      found.keySize === expected.keySize &&
      found.maxEntries === expected.maxEntries &&
      (expected.valueSize === MAX_SCRATCH_BYTES
        ? found.valueSize <= expected.valueSize
        : found.valueSize === expected.valueSize);
    if (fits) continue;
    throw new VespidError(
      'OBJECT_METADATA_MALFORMED',
      `${object.name}: map ${expected.name} is not as the compiler makes it`,
      {
        hint: 'compile and sign the policies again with this version',
      },
    );
  }
}

function chooseCandidate(hook: AttachableHook, table: RuleTable, features: KernelFeatures): AttachCandidate {
  const reasons: string[] = [];
  for (const candidate of hook.candidates) {
    const feature = featureFor(features, candidate.requires);
    const unreadable = table.unreadable[candidate.id];
    if (!feature.available) reasons.push(`${candidate.id}: ${feature.reason}`);
    else if (unreadable !== undefined)
      reasons.push(`${candidate.id}: cannot read ${unreadable.join(', ')} there`);
    else return candidate;
  }
  throw new VespidError(
    'HOOK_NOT_ATTACHABLE',
    `${table.hook} cannot be attached on kernel ${features.release}: ${reasons.join('; ')}`,
    { hint: 'see `vespid doctor` for what this kernel can do', details: { hook: table.hook, reasons } },
  );
}

function degradations(
  candidate: AttachCandidate,
  table: RuleTable,
): Map<number, { delivered: Effect; reason: string }> {
  const degraded = new Map<number, { delivered: Effect; reason: string }>();
  for (const [index, rule] of table.rules.entries()) {
    const delivered = deliveredEffect(candidate, rule.effect);
    const reason = candidate.weaker[rule.effect]?.reason ?? 'not available at this attach point';
    if (delivered !== rule.effect) degraded.set(index, { delivered, reason });
  }
  return degraded;
}

function notDeliverable(
  candidate: AttachCandidate,
  table: RuleTable,
  ruleIndex: number,
  { delivered, reason }: { delivered: Effect; reason: string },
): VespidError {
  const rule = table.rules[ruleIndex];
  const name = `${rule?.policy ?? '?'}, rule ${(rule?.rule ?? 0) + 1}`;
  return new VespidError(
    'EFFECT_NOT_DELIVERABLE',
    `policy ${name}: ${table.hook} cannot deliver ${rule?.effect ?? '?'} here: ${reason}`,
    {
      hint: `pass --degrade to accept ${delivered} instead (${candidate.guarantee}), or change the effect to one of: ${candidate.effects.join(', ')}`,
      details: {
        policy: rule?.policy,
        rule: rule?.rule,
        hook: table.hook,
        requested: rule?.effect,
        instead: delivered,
      },
    },
  );
}
