import type { Effect } from '../../lsm-hooks/index.js';
import type { Severity } from './severity.js';

/** The value of `schema`; the JSON Schema is `event.schema.json`. */
export const EVENT_SCHEMA = 'vespid.event/1';

/** What happened to the action, by the index of the verdict in the record. */
export const VERDICTS = { audit: 'audited', deny: 'denied', kill: 'killed' } as const;
export type Verdict = (typeof VERDICTS)[keyof typeof VERDICTS];

/** An integer beyond 2^53 is written as a decimal string: JSON readers would round it. */
export type EventInteger = number | string;

/**
 * The native event. A field of the hook catalogue stands at its dotted name (`file.path`); one that could not be
 * read is left out and named in `incomplete`.
 */
export interface VespidEvent {
  readonly schema: typeof EVENT_SCHEMA;
  /** The same record always gives the same id: consumers remove repeated deliveries by it. */
  readonly id: string;
  /** RFC 3339, UTC, nanoseconds. */
  readonly time: string;
  readonly host: EventHost;
  readonly hook: string;
  readonly verdict: Verdict;
  /** The strongest effect that a matched rule asked for and that this kernel cannot deliver. */
  readonly degraded?: { readonly requested: Effect; readonly reason: string };
  /** A rule matched because a field that it needs could not be read whole. */
  readonly failed_closed?: true;
  /** The gravest of all matches. */
  readonly severity: Severity;
  /** The match with the strongest delivered effect, then the highest severity, then the first. */
  readonly policy: { readonly name: string; readonly rule: number; readonly bundle: string };
  readonly matches: readonly EventMatch[];
  /** Techniques of all matches, those of `policy` first. */
  readonly attack: readonly EventTechnique[];
  readonly process: EventProcess;
  readonly file?: EventFile;
  readonly exec?: EventExec;
  readonly net?: EventNet;
  readonly program?: EventProgram;
  /** Names of fields that are cut short or could not be read. */
  readonly incomplete?: readonly string[];
}

export interface EventHost {
  readonly id: string;
  readonly name: string;
}

/** A rule that matched; `effect` is what it asks for. */
export interface EventMatch {
  readonly policy: string;
  readonly rule: number;
  readonly effect: Effect;
  readonly severity: Severity;
  /** The condition as written. */
  readonly source: string;
}

export interface EventTechnique {
  readonly id: string;
  readonly name: string;
  readonly tactics: readonly string[];
  readonly url?: string;
}

export interface EventProcess {
  readonly pid: EventInteger;
  readonly tid: EventInteger;
  readonly ppid: EventInteger;
  readonly uid: EventInteger;
  readonly gid: EventInteger;
  readonly cgroup_id: EventInteger;
  readonly comm?: string;
  readonly exe?: string;
}

export interface EventFile {
  readonly flags: EventInteger;
  readonly write: boolean;
  readonly uid: EventInteger;
  readonly mode: EventInteger;
  readonly inode: EventInteger;
  readonly name?: string;
  readonly path?: string;
}

export interface EventExec {
  readonly uid: EventInteger;
  readonly mode: EventInteger;
  readonly inode: EventInteger;
  readonly name?: string;
  readonly path?: string;
  readonly filename?: string;
  readonly args?: string;
}

export interface EventNet {
  readonly address?: string;
  readonly port: EventInteger;
  readonly family: string;
  readonly protocol: string;
}

export interface EventProgram {
  readonly type: EventInteger;
  readonly attach_type: EventInteger;
  readonly instruction_count: EventInteger;
  readonly digest: string;
  readonly name?: string;
}
