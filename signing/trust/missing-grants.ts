import type { PolicyClaim } from '../attestation/policy-claim.js';
import { type ProgramClaim, programSubjectName } from '../attestation/program-claim.js';
import type { StructOpsClaim } from '../attestation/struct-ops-claim.js';
import type { MissingGrant } from './decision.js';
import type { CallGrant, Grants } from './grants.js';
import { findMatch, type NamePattern } from './name-pattern.js';
import type { SignerTerms } from './trust-policy.js';

/** What a signer signed, as far as grants speak about it: names as the statement claims them. */
export interface SignedContent {
  /** Name of the bundle. */
  readonly name: string;
  readonly predicate: {
    readonly programs: readonly SignedProgram[];
    readonly policies: readonly Pick<PolicyClaim, 'file' | 'name' | 'effects'>[];
    readonly structOps: readonly SignedStructOps[];
  };
}

type SignedProgram = Pick<
  ProgramClaim,
  'object' | 'section' | 'name' | 'type' | 'attachType' | 'attachTarget' | 'helpers' | 'kfuncs' | 'effects'
>;
type SignedStructOps = Pick<StructOpsClaim, 'object' | 'name' | 'type'>;

/**
 * Everything in a bundle that a signer may not sign: empty when it is entitled to all of it. The claims must be
 * those of a verified statement; that they are true is checked against the bytes when the files are read.
 */
export function missingGrants({ may }: SignerTerms, content: SignedContent): readonly MissingGrant[] {
  if (may === undefined) return [];
  const { name, predicate } = content;
  return [
    ...missingName('bundles', may.bundles, name, `bundle ${name}`),
    ...predicate.programs.flatMap((program) => missingForProgram(may, program)),
    ...predicate.structOps.flatMap((structOps) => missingForStructOps(may, structOps)),
    ...predicate.policies.flatMap((policy) =>
      missingEffects(may.effects, policy.effects, `policy ${policy.file}#${policy.name}`),
    ),
  ];
}

function missingForProgram(may: Grants, program: SignedProgram): readonly MissingGrant[] {
  const subject = `program ${programSubjectName(program)}`;
  return [
    ...missingName('programTypes', may.programTypes, program.type, subject),
    ...missingName('attachTypes', may.attachTypes, program.attachType, subject),
    ...missingName('attachTargets', may.attachTargets, program.attachTarget, subject),
    ...missingCalls('helpers', may.helpers, program.helpers, subject),
    ...missingCalls('kfuncs', may.kfuncs, program.kfuncs, subject),
    ...missingEffects(may.effects, program.effects, subject),
  ];
}

/**
 * Registering callbacks is more than their programs: it needs the program type of those, the kernel's struct as attach
 * target, and `deny`, also when no program of the object implements one. A sched_ext_ops of a name alone takes all
 * tasks from the kernel's scheduler.
 */
function missingForStructOps(may: Grants, { object, name, type }: SignedStructOps): readonly MissingGrant[] {
  const subject = `struct_ops ${object}#${name}`;
  return [
    ...missingName('programTypes', may.programTypes, 'struct_ops', subject),
    ...missingName('attachTargets', may.attachTargets, type, subject),
    ...missingEffects(may.effects, ['deny'], subject),
  ];
}

function missingName(
  grant: MissingGrant['grant'],
  allowed: readonly NamePattern[] | undefined,
  required: string,
  subject: string,
): readonly MissingGrant[] {
  if (allowed === undefined || findMatch(allowed, required) !== undefined) return [];
  return [{ subject, grant, required, allowed: allowed.map(({ text }) => text) }];
}

function missingCalls(
  grant: 'helpers' | 'kfuncs',
  calls: CallGrant | undefined,
  required: readonly string[],
  subject: string,
): readonly MissingGrant[] {
  if (calls === undefined) return [];
  return required.flatMap((name) => {
    const denied = findMatch(calls.deny ?? [], name);
    if (denied === undefined) return missingName(grant, calls.allow, name, subject);
    const allowed = (calls.allow ?? []).map(({ text }) => text);
    return [{ subject, grant, required: name, allowed, deniedBy: denied.text }];
  });
}

function missingEffects(
  allowed: readonly string[] | undefined,
  effects: readonly string[],
  subject: string,
): readonly MissingGrant[] {
  if (allowed === undefined) return [];
  return effects
    .filter((effect) => !allowed.includes(effect))
    .map((required) => ({ subject, grant: 'effects', required, allowed }));
}

/** What the entries of each grant are called in a sentence. */
const NOUNS: Readonly<Record<MissingGrant['grant'], readonly [one: string, many: string]>> = {
  bundles: ['the name', 'bundles'],
  programTypes: ['program type', 'program types'],
  attachTypes: ['attach type', 'attach types'],
  attachTargets: ['attach target', 'attach targets'],
  helpers: ['helper', 'helpers'],
  kfuncs: ['kernel function', 'kernel functions'],
  effects: ['effect', 'effects'],
};

/** "helper bpf_send_signal is not among its allowed helpers" */
export function describeMissingGrant({ grant, required, deniedBy }: MissingGrant): string {
  const [one, many] = NOUNS[grant];
  const name = required === '' ? '"" (none)' : required;
  if (deniedBy === undefined) return `${one} ${name} is not among its allowed ${many}`;
  const pattern = deniedBy === required ? '' : ` (${deniedBy})`;
  return `${one} ${name} is among its denied ${many}${pattern}`;
}
