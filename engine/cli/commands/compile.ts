import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { Command } from 'commander';
import { readObject } from '../../bytecode/index.js';
import { type CompiledObject, compilePolicies } from '../../compiler/index.js';
import { helpNotes } from '../help-text.js';
import { expandDirectories, isElf, readInputFile, wrongKind } from '../input-file.js';
import { makeDirectory, replaceFile } from '../output-file.js';
import { POLICY_ENDINGS, parsePolicySet } from '../policy-set.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';
import { tableLines } from '../text-table.js';

const OBJECT_MODE = 0o644;

export function compileCommand(): Command {
  return new Command('compile')
    .description('compile policies into eBPF objects, one HOOK.bpf.o for each hook that they use')
    .argument('<policies...>', 'policy files, or directories of them (*.yaml, *.yml)')
    .requiredOption('--out <dir>', 'directory for the objects; made if it is missing')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid compile policies/*.yaml --out build', 'the same policies always give the same bytes'],
          ['bpftool btf dump file build/file.open.bpf.o', 'the objects are standard ELF with BTF'],
        ],
        json: `
{ "ok": true, "warnings": [sentence], "objects": [
    { "path", "name", "hook", "rules": count, "programs": count, "byteSize", "sha256" } ] }`,
      }),
    )
    .action(printReport(compile));
}

function compile(paths: readonly string[], { out }: { readonly out: string }): Report {
  const files = expandDirectories(paths, POLICY_ENDINGS).map(readInputFile);
  const object = files.find(isElf);
  if (object !== undefined)
    throw wrongKind(object.path, 'a policy', 'an ELF object, which is compiled already');
  const { policies, warnings } = parsePolicySet(files);
  const compiled = compilePolicies(policies);
  makeDirectory(out);
  for (const { name, bytes } of compiled) replaceFile(join(out, name), bytes, OBJECT_MODE);
  const objects = compiled.map((object) => describeObject(object, out));
  return { text: objectTable(objects).join('\n'), json: { objects }, warnings };
}

type ObjectDescription = ReturnType<typeof describeObject>;

function describeObject({ name, hook, bytes, table }: CompiledObject, directory: string) {
  return {
    path: join(directory, name),
    name,
    hook,
    rules: table.rules.length,
    programs: readObject(bytes, name).programs.length,
    byteSize: bytes.byteLength,
    sha256: createHash('sha256').update(bytes).digest('hex'),
  };
}

function objectTable(objects: readonly ObjectDescription[]): string[] {
  return tableLines(
    [
      ...[{ title: 'OBJECT' }, { title: 'HOOK' }, { title: 'RULES', align: 'right' as const }],
      ...[
        { title: 'PROGRAMS', align: 'right' as const },
        { title: 'BYTES', align: 'right' as const },
      ],
      { title: 'SHA256' },
    ],
    objects.map(({ path, hook, rules, programs, byteSize, sha256 }) => [
      ...[path, hook, String(rules), String(programs), String(byteSize), sha256],
    ]),
  );
}
