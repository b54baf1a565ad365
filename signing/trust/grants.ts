import { type NamePattern, parseNamePattern } from './name-pattern.js';

/** What a policy asks for, or what the bytes of a program can do to a task. */
export type Effect = 'audit' | 'deny' | 'kill';

/**
 * What a signer may sign. A member that is absent limits nothing; one that is there limits to what it lists, for
 * every program and policy of a bundle. The empty name counts as a name: a program without attach target is
 * entitled only by a pattern that matches "" (`""`, `*` or `**`).
 */
export interface GrantsOf<Name> {
  /** Names of bundles. */
  readonly bundles?: readonly Name[];
  /** Program types, by the names in claims: `lsm`, `cgroup_sock_addr`. */
  readonly programTypes?: readonly Name[];
  readonly attachTypes?: readonly Name[];
  readonly attachTargets?: readonly Name[];
  /** Helper functions, by the kernel's names. */
  readonly helpers?: CallGrantOf<Name>;
  readonly kfuncs?: CallGrantOf<Name>;
  /** Of policies, and of the bytes of programs. */
  readonly effects?: readonly Effect[];
}

/** Functions that may be called: those of `allow` (absent: all) without those of `deny`. */
export interface CallGrantOf<Name> {
  readonly allow?: readonly Name[];
  readonly deny?: readonly Name[];
}

/** As their author writes them. */
export type GrantsDocument = GrantsOf<string>;
export type CallGrantDocument = CallGrantOf<string>;
/** As names are held against them. */
export type Grants = GrantsOf<NamePattern>;
export type CallGrant = CallGrantOf<NamePattern>;

/** The grants that a document describes; its form was checked by the schema. */
export function resolveGrants(document: GrantsDocument): Grants {
  const { bundles, programTypes, attachTypes, attachTargets, helpers, kfuncs, effects } = document;
  return {
    ...(bundles === undefined ? {} : { bundles: bundles.map(parseNamePattern) }),
    ...(programTypes === undefined ? {} : { programTypes: programTypes.map(parseNamePattern) }),
    ...(attachTypes === undefined ? {} : { attachTypes: attachTypes.map(parseNamePattern) }),
    ...(attachTargets === undefined ? {} : { attachTargets: attachTargets.map(parseNamePattern) }),
    ...(helpers === undefined ? {} : { helpers: resolveCalls(helpers) }),
    ...(kfuncs === undefined ? {} : { kfuncs: resolveCalls(kfuncs) }),
    ...(effects === undefined ? {} : { effects }),
  };
}

function resolveCalls({ allow, deny }: CallGrantDocument): CallGrant {
  return {
    ...(allow === undefined ? {} : { allow: allow.map(parseNamePattern) }),
    ...(deny === undefined ? {} : { deny: deny.map(parseNamePattern) }),
  };
}
