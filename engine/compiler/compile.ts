import {
  ATTACHABLE_HOOKS,
  type AttachableHook,
  type AttachCandidate,
  CONFIG,
  hookMaps,
  KERNEL_TYPES,
  MAX_RULES_PER_PROGRAM,
  readableFields,
  Subprograms,
  scratchLayout,
} from '../../lsm-hooks/index.js';
import { type CheckedPolicy, type CheckedRule, fieldsOf } from '../../policies/language/index.js';
import { writeObject } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import { longestConstants } from './longest-constants.js';
import { assembleRuleProgram } from './rule-program.js';
import { encodeRuleTable, type RuleTable } from './rule-table.js';

/** One ELF object: every rule of a policy set on one hook, with a program for each way to attach it. */
export interface CompiledObject {
  /** File name, `file.open.bpf.o`. */
  readonly name: string;
  readonly hook: string;
  readonly bytes: Uint8Array;
  readonly table: RuleTable;
}

/** The programs read GPL-only kernel types, so the objects are dual-licensed as the kernel wants it said. */
const LICENSE = 'Dual MIT/GPL';

/**
 * Compiles a policy set: one object per hook that it uses, in order of hook name. Pure; the same input gives the
 * same bytes.
 *
 * @throws VespidError COMPILE_LIMIT, COMPILE_UNREADABLE_FIELD
 */
export function compilePolicies(policies: readonly CheckedPolicy[]): CompiledObject[] {
  const rulesByHook = new Map<string, PlacedRule[]>();
  for (const policy of policies) {
    policy.rules.forEach((rule, index) => {
      rulesByHook.set(rule.hook, [...(rulesByHook.get(rule.hook) ?? []), { policy, rule, index }]);
    });
  }
  return [...rulesByHook]
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([hookName, rules]) => compileHook(hookNamed(hookName), rules));
}

interface PlacedRule {
  readonly policy: CheckedPolicy;
  readonly rule: CheckedRule;
  readonly index: number;
}

function hookNamed(name: string): AttachableHook {
  const hook = ATTACHABLE_HOOKS.get(name);
  if (hook === undefined)
    throw new VespidError('INTERNAL', `a checked policy names the unknown hook ${name}`);
  return hook;
}

function compileHook(hook: AttachableHook, rules: readonly PlacedRule[]): CompiledObject {
  const { name } = hook.definition;
  if (rules.length > MAX_RULES_PER_PROGRAM) {
    throw new VespidError(
      'COMPILE_LIMIT',
      `${rules.length} rules on ${name}, more than the ${MAX_RULES_PER_PROGRAM} that one program can report`,
      { hint: 'sign them as several bundles, or join conditions with ||' },
    );
  }
  const conditions = rules.map(({ rule }) => rule.condition);
  const needed = new Set(conditions.flatMap(fieldsOf));
  const { usable, unreadable } = splitCandidates(hook, needed);
  if (usable.length === 0) {
    throw new VespidError(
      'COMPILE_UNREADABLE_FIELD',
      `no attach point of ${name} can read ${[...needed].join(', ')}`,
      {
        hint: 'split the rule so that each part can be read somewhere',
      },
    );
  }
  const table: RuleTable = { format: 1, hook: name, rules: rules.map(originOf), unreadable };
  const layout = scratchLayout(hook.definition, longestConstants(conditions));
  const subprograms = new Subprograms();
  const sharedStrings = stringsReadAlike(hook);
  const programs = usable.flatMap((candidate) =>
    candidate.points.map((point) => ({
      section: point.section,
      function: assembleRuleProgram(
        candidate,
        point,
        rules.map(({ rule }) => rule),
        layout,
        subprograms,
        sharedStrings,
      ),
    })),
  );
  const bytes = writeObject({
    license: LICENSE,
    programs,
    subprograms: subprograms.all(),
    maps: hookMaps(layout.byteLength),
    constants: [CONFIG],
    kernelTypes: KERNEL_TYPES,
    metadata: encodeRuleTable(table),
  });
  return { name: `${name}.bpf.o`, hook: name, bytes, table };
}

/** A candidate that cannot read a needed field is left out, and the table says why. */
function splitCandidates(
  hook: AttachableHook,
  needed: ReadonlySet<string>,
): { usable: AttachCandidate[]; unreadable: Record<string, string[]> } {
  const usable: AttachCandidate[] = [];
  const unreadable: Record<string, string[]> = {};
  for (const candidate of hook.candidates) {
    const readable = readableFields(candidate);
    const missing = [...needed].filter((field) => !readable.has(field)).sort();
    if (missing.length === 0) usable.push(candidate);
    else unreadable[candidate.id] = missing;
  }
  return { usable, unreadable };
}

/** String fields for which every attach point of the hook that has them uses the very same code. */
function stringsReadAlike(hook: AttachableHook): ReadonlySet<string> {
  const points = hook.candidates.flatMap((candidate) => candidate.points);
  const names = hook.definition.fields
    .map((field) => field.name)
    .filter((field) => field.startsWith('process.'));
  return new Set(
    names.filter(
      (field) => new Set(points.flatMap((point) => point.readers.strings[field] ?? [])).size === 1,
    ),
  );
}

function originOf({ policy, rule, index }: PlacedRule): RuleTable['rules'][number] {
  return {
    policy: policy.name,
    rule: index,
    effect: rule.effect,
    severity: policy.severity,
    attack: policy.attack,
    source: rule.source,
  };
}
