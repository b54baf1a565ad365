import type {
  BundlePredicate,
  FileDescription,
  PolicyClaim,
  ProgramClaim,
  StructOpsClaim,
} from '../../signing/index.js';
import { tableLines } from './text-table.js';

/** What a bundle holds, as `sign`, `verify` and `inspect` show it. */
export interface BundleContents {
  readonly policies: readonly FileDescription[];
  readonly objects: readonly FileDescription[];
  /** What is stated about them; undefined if nobody states anything that can be read. */
  readonly predicate: BundlePredicate | undefined;
}

/** The `--json` members of {@link BundleContents}, for the help. */
export const CONTENTS_JSON = `"policies", "objects": [{ "name", "digest", "byteSize" }],
  "predicate": { "compiler", "programs": [{...}], "policies": [{...}], "structOps": [{...}] }`;

/** Tables for people: files, policies, programs, and what each program may call. */
export function contentsLines({ policies, objects, predicate }: BundleContents): string[] {
  const { policies: stated, programs, structOps } = predicate ?? NOTHING;
  return [
    ...fileTable(policies, objects),
    '',
    ...(stated.length === 0 ? [] : [...policyTable(stated), '']),
    ...(programs.length === 0 ? ['no programs'] : [...programTable(programs), '', ...callTable(programs)]),
    ...(structOps.length === 0 ? [] : ['', ...structOpsTable(structOps)]),
  ];
}

const NOTHING: Pick<BundlePredicate, 'policies' | 'programs' | 'structOps'> = {
  policies: [],
  programs: [],
  structOps: [],
};

function fileTable(policies: readonly FileDescription[], objects: readonly FileDescription[]): string[] {
  const row = (kind: string) => (file: FileDescription) => [
    kind,
    file.name,
    String(file.byteSize),
    file.digest,
  ];
  return tableLines(
    [{ title: 'KIND' }, { title: 'FILE' }, { title: 'BYTES', align: 'right' }, { title: 'DIGEST' }],
    [...policies.map(row('policy')), ...objects.map(row('object'))],
  );
}

function policyTable(policies: readonly PolicyClaim[]): string[] {
  return tableLines(
    [{ title: 'POLICY' }, { title: 'FILE' }, { title: 'HOOKS' }, { title: 'EFFECTS' }],
    policies.map(({ name, file, hooks, effects }) => [name, file, hooks.join(' '), effects.join(' ')]),
  );
}

function structOpsTable(variables: readonly StructOpsClaim[]): string[] {
  return tableLines(
    [{ title: 'OBJECT' }, { title: 'STRUCT_OPS' }, { title: 'KERNEL STRUCT' }, { title: 'MEMBERS' }],
    variables.map(({ object, name, type, members }) => [
      ...[object, name, type],
      members.map(({ member, program }) => `${member}=${program}`).join(' '),
    ]),
  );
}

function programTable(programs: readonly ProgramClaim[]): string[] {
  return tableLines(
    [
      ...[{ title: 'OBJECT' }, { title: 'PROGRAM' }, { title: 'TYPE' }, { title: 'ATTACHES TO' }],
      ...[{ title: 'CAN' }, { title: 'INSTRUCTIONS', align: 'right' as const }, { title: 'LICENSE' }],
    ],
    programs.map((program) => [
      ...[program.object, program.name, program.type, attachmentOf(program)],
      ...[program.effects.join(' ') || 'watch', String(program.instructionCount), program.license],
    ]),
  );
}

/** `lsm_mac file_open`; a type that has neither, an XDP program for example, attaches where its loader says. */
function attachmentOf({ attachType, attachTarget }: ProgramClaim): string {
  return [attachType, attachTarget].filter((part) => part !== '').join(' ') || '-';
}

/** A row for each set of calls, with the programs that make them: programs of one hook make mostly the same. */
function callTable(programs: readonly ProgramClaim[]): string[] {
  const programsByCalls = new Map<string, string[]>();
  for (const program of programs) {
    const calls = [...program.helpers, ...program.kfuncs].join(' ') || 'nothing';
    programsByCalls.set(calls, [...(programsByCalls.get(calls) ?? []), program.name]);
  }
  return tableLines(
    [{ title: 'PROGRAMS' }, { title: 'CALL' }],
    [...programsByCalls].map(([calls, names]) => [names.join(', '), calls]),
  );
}
