import {
  ATTACHABLE_HOOKS,
  type AttachableHook,
  type AttachCandidate,
  EFFECTS,
  type Effect,
} from '../../lsm-hooks/index.js';
import type { Feature, GateLevel, KernelFeatures } from '../kernel/index.js';
import { featureFor } from '../loader/index.js';
import type { Report } from './report.js';
import { factLines, tableLines } from './text-table.js';

type FeatureName = Exclude<keyof KernelFeatures, 'release' | 'gate'>;

const FEATURE_TITLES: Readonly<Record<FeatureName, string>> = {
  btf: 'type information (BTF)',
  ringBuffer: 'ring buffer',
  bpfLsm: 'BPF LSM programs',
  trampolines: 'trampolines (fentry, fexit)',
  tracepointBtf: 'typed tracepoints (tp_btf)',
  cgroupSockAddr: 'cgroup connect hooks',
};

const GATE_MEANING: Readonly<Record<GateLevel, string>> = {
  'before-verifier':
    '`vespid run --gate enforce` makes this kernel refuse every unsigned BPF program before its verifier and JIT see it (hook bpf_prog_load).',
  'after-verifier':
    'Vespid raises no gate here: this kernel offers a hook only after its verifier has run on a program (bpf_prog), not before (bpf_prog_load).',
  none: 'Vespid raises no gate here: without BPF LSM programs nothing can refuse the BPF programs of others; its own are verified all the same.',
};

/** What a hook delivers on one machine. */
interface HookAbility {
  readonly hook: string;
  /** The attach candidate that would be chosen; null if none works here. */
  readonly attach: AttachCandidate['id'] | null;
  readonly sections: readonly string[];
  readonly effects: readonly Effect[];
  /** By effect that is refused: what `--degrade` gives instead, and why. */
  readonly refused: Readonly<
    Partial<Record<Effect, { readonly instead: Effect | null; readonly reason: string }>>
  >;
  readonly guarantee: string;
  /** Better candidates that do not work here, with the reason. */
  readonly passedOver: readonly { readonly attach: AttachCandidate['id']; readonly reason: string }[];
}

/** The members of {@link describeKernel}'s value, for the help. */
export const KERNEL_JSON = `{ "ok": true, "kernel": release,
  "features": { ${Object.keys(FEATURE_TITLES).join(', ')}: { "available", "reason", "since" } },
  "hooks": [{ "hook", "attach": lsm | tracepoint | cgroup | null, "sections", "effects",
    "refused": { EFFECT: { "instead", "reason" } }, "guarantee", "passedOver": [{ "attach", "reason" }] }],
  "gate": { "level": before-verifier | after-verifier | none, "meaning" },
  with --all also "probes": { NAME: { "available", "reason", "since" } } }`;

/** What can be done on a machine with these features. Pure. */
export function describeKernel(features: KernelFeatures): Report {
  const hooks = [...ATTACHABLE_HOOKS.values()].map((hook) => abilityOf(hook, features));
  const gate = { level: features.gate, meaning: GATE_MEANING[features.gate] };
  const byName = Object.fromEntries(featureNames().map((name) => [name, features[name]]));
  return {
    text: [
      `kernel ${features.release}`,
      '',
      ...featureTable(features),
      ...hooks.flatMap((ability) => ['', ...abilityLines(ability)]),
      '',
      ...factLines([['gate', `${gate.level}. ${gate.meaning}`]]),
    ].join('\n'),
    json: { kernel: features.release, features: byName, hooks, gate },
  };
}

export function featureNames(): FeatureName[] {
  // The cast undoes Object.keys' widening: the record has exactly these keys.
  return Object.keys(FEATURE_TITLES) as FeatureName[];
}

function featureTable(features: KernelFeatures): string[] {
  const row = (title: string, { available, since, reason }: Feature) => [
    ...[title, available ? 'yes' : 'no', since, available ? '' : reason],
  ];
  return tableLines(
    [{ title: 'FEATURE' }, { title: 'HERE' }, { title: 'SINCE' }, { title: 'WHY NOT' }],
    featureNames().map((name) => row(FEATURE_TITLES[name], features[name])),
  );
}

function abilityOf({ definition, candidates }: AttachableHook, features: KernelFeatures): HookAbility {
  const chosenAt = candidates.findIndex(({ requires }) => featureFor(features, requires).available);
  const chosen = candidates[chosenAt];
  const passedOver = candidates.slice(0, chosen === undefined ? candidates.length : chosenAt);
  return {
    hook: definition.name,
    attach: chosen?.id ?? null,
    sections: chosen?.points.map(({ section }) => section) ?? [],
    effects: chosen?.effects ?? [],
    refused: chosen === undefined ? {} : refusedEffects(chosen),
    guarantee: chosen?.guarantee ?? '',
    passedOver: passedOver.map(({ id, requires }) => ({
      attach: id,
      reason: featureFor(features, requires).reason,
    })),
  };
}

function refusedEffects(candidate: AttachCandidate): HookAbility['refused'] {
  const refused = EFFECTS.filter((effect) => !candidate.effects.includes(effect));
  return Object.fromEntries(
    refused.map((effect) => {
      const weaker = candidate.weaker[effect];
      const reason = weaker?.reason ?? 'not available at this attach point';
      return [effect, { instead: weaker?.effect ?? null, reason }];
    }),
  );
}

function abilityLines(ability: HookAbility): string[] {
  const { hook, attach, sections, effects, refused, guarantee, passedOver } = ability;
  if (attach === null) {
    const reasons = passedOver.map(
      (candidate) => ['cannot attach', `${candidate.attach}: ${candidate.reason}`] as const,
    );
    return [hook, ...factLines(reasons, '  ')];
  }
  const refusals = EFFECTS.flatMap((effect) => {
    const refusal = refused[effect];
    if (refusal === undefined) return [];
    const instead = refusal.instead === null ? '' : `; --degrade gives ${refusal.instead} instead`;
    return [['refuses', `${effect}: ${refusal.reason}${instead}`] as const];
  });
  const facts = [
    ['attaches by', `${attach} (${sections.join(', ')})`] as const,
    ['delivers', effects.join(', ')] as const,
    ...refusals,
    ['guarantee', guarantee] as const,
  ];
  return [hook, ...factLines(facts, '  ')];
}
