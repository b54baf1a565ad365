import type { Label } from '../engine/bytecode/index.js';
import type { Effect, HookDefinition } from './definition.js';
import type { Access, Frame } from './program/frame.js';
import type { FieldReaders } from './program/readers.js';

/** Something a kernel can or cannot do; `engine/kernel/features.ts` probes each. */
export type Capability = 'bpf-lsm' | 'tracepoint-btf' | 'cgroup-sock-addr';

/** One program: one section of the object. */
export interface AttachPoint {
  /** libbpf section name, `lsm/file_open`. */
  readonly section: string;
  readonly functionName: string;
  readonly access: Access;
  readonly readers: FieldReaders;
  /** What the program returns to let the action happen, and to refuse it. */
  readonly returns: { readonly allow: number; readonly deny: number; readonly retry: number };
  /** Sees only tasks of the cgroup that it is attached to, so it need not test the scope. */
  readonly scopedByAttachment: boolean;
  /** Runs first and costs nothing else: jumps to `ignore` when the event is not the hook's. R6 = context. */
  readonly filter?: (frame: Frame, ignore: Label) => void;
  /** R8 = the hook's pointer; may fill the hook's part of the working memory. */
  readonly setup: (frame: Frame, ignore: Label) => void;
}

/** One way to attach a hook. All its points are loaded together. */
export interface AttachCandidate {
  readonly id: 'lsm' | 'tracepoint' | 'cgroup';
  readonly requires: Capability;
  /** What it really delivers. */
  readonly effects: readonly Effect[];
  /** For each other effect: what can be had instead with `--degrade`, and why. */
  readonly weaker: Readonly<Partial<Record<Effect, { readonly effect: Effect; readonly reason: string }>>>;
  /** One line for `vespid doctor`. */
  readonly guarantee: string;
  readonly points: readonly AttachPoint[];
}

/** A hook with the ways to attach it, best first. */
export interface AttachableHook {
  readonly definition: HookDefinition;
  readonly candidates: readonly AttachCandidate[];
}

/** The names of fields that every point of the candidate can read. */
export function readableFields(candidate: AttachCandidate): ReadonlySet<string> {
  const [first, ...others] = candidate.points.map(
    ({ readers }) =>
      new Set([
        ...Object.keys(readers.integers),
        ...Object.keys(readers.strings),
        ...Object.keys(readers.memory ?? {}),
      ]),
  );
  return new Set([...(first ?? [])].filter((name) => others.every((names) => names.has(name))));
}
