import type { FileDescription, ProgramClaim } from '../../signing/index.js';
import { helperName } from '../bytecode/index.js';
import { tableLines } from './text-table.js';

/** What a bundle holds, as `sign`, `verify` and `inspect` show it. */
export interface BundleContents {
  readonly policies: readonly FileDescription[];
  readonly objects: readonly FileDescription[];
  readonly programs: readonly ProgramClaim[];
}

/** The `--json` members of {@link BundleContents}, for the help. */
export const CONTENTS_JSON = `"policies", "objects": [{ "name", "digest", "byteSize" }],
  "programs": [{ "object", "section", "name", "type", "attachType", "attachTarget", "license",
    "instructionCount", "sha256", "maps": [{...}], "helpers": [id], "kfuncs": [name] }]`;

/** Tables for people: files, programs, and what each program may call. */
export function contentsLines({ policies, objects, programs }: BundleContents): string[] {
  return [
    ...fileTable(policies, objects),
    '',
    ...(programs.length === 0 ? ['no programs'] : [...programTable(programs), '', ...callTable(programs)]),
  ];
}

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

function programTable(programs: readonly ProgramClaim[]): string[] {
  return tableLines(
    [
      ...[{ title: 'OBJECT' }, { title: 'PROGRAM' }, { title: 'TYPE' }, { title: 'ATTACHES TO' }],
      ...[{ title: 'INSTRUCTIONS', align: 'right' as const }, { title: 'LICENSE' }],
    ],
    programs.map((program) => [
      ...[program.object, program.name, program.type, attachmentOf(program)],
      ...[String(program.instructionCount), program.license],
    ]),
  );
}

/** `lsm-mac file_open`; a type that has neither, an XDP program for example, attaches where its loader says. */
function attachmentOf({ attachType, attachTarget }: ProgramClaim): string {
  return [attachType, attachTarget].filter((part) => part !== '').join(' ') || '-';
}

/** A row for each set of calls, with the programs that make them: programs of one hook make mostly the same. */
function callTable(programs: readonly ProgramClaim[]): string[] {
  const programsByCalls = new Map<string, string[]>();
  for (const program of programs) {
    const calls = [...program.helpers.map(helperLabel), ...program.kfuncs].join(' ') || 'nothing';
    programsByCalls.set(calls, [...(programsByCalls.get(calls) ?? []), program.name]);
  }
  return tableLines(
    [{ title: 'PROGRAMS' }, { title: 'CALL' }],
    [...programsByCalls].map(([calls, names]) => [names.join(', '), calls]),
  );
}

/** The kernel's name, or `helper#999` for one that is newer than our table. */
function helperLabel(id: number): string {
  return helperName(id) ?? `helper#${id}`;
}
