import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT, runVespid, Workspace } from './run-vespid.js';

const TEXT = readFileSync(join(ROOT, 'docs/attestation.md'), 'utf8');

/** The first block of code of a language after the heading of the example. */
function exampleOf(language: string): string {
  const example = TEXT.slice(TEXT.indexOf('## An example'));
  const block = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(example)?.[1];
  if (block === undefined) throw new Error(`docs/attestation.md has no example in ${language}`);
  return block;
}

let workspace: Workspace;
const at = (name: string) => workspace.path(name);
beforeEach(() => {
  workspace = new Workspace();
});
afterEach(() => workspace[Symbol.dispose]());

async function run(...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runVespid(...args);
  expect(exitCode, stderr).toBe(0);
  return stdout;
}

describe('docs/attestation.md', () => {
  it('shows what its commands print', async () => {
    writeFileSync(at('shadow.yaml'), exampleOf('yaml'));
    writeFileSync(at('switches.s'), exampleOf('asm'));
    await run('keygen', '--out', at('ci'));
    writeFileSync(
      at('trust.yaml'),
      'apiVersion: vespid.dev/v1\nkind: TrustPolicy\nthreshold: 1\nkeys: [{ id: ci, publicKey: ci.pub }]\n',
    );
    await run('asm', at('switches.s'), '--license', 'GPL', '--out', at('switches.bpf.o'));
    const files = [at('shadow.yaml'), at('switches.bpf.o')];
    await run('sign', ...files, '--key', at('ci.key'), '--out', at('example.bundle'));
    const printed = await run('verify', at('example.bundle'), '--trust', at('trust.yaml'), '--json');
    const { programs, policies } = Object(JSON.parse(printed)).predicate;
    const ofObject = programs.filter(({ object }: { object: string }) => object === 'switches.bpf.o');
    expect(JSON.parse(exampleOf('json'))).toEqual({ programs: ofObject, policies });
  });

  it('explains every member of the schema', () => {
    const schema: unknown = JSON.parse(
      readFileSync(join(ROOT, 'signing/attestation/bundle-predicate.schema.json'), 'utf8'),
    );
    const members = [...membersOf(schema)];
    expect(members.length).toBeGreaterThan(30);
    expect(members.filter((name) => !TEXT.includes(`\`${name}\``))).toEqual([]);
  });
});

function* membersOf(schema: unknown): Generator<string> {
  if (typeof schema !== 'object' || schema === null) return;
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'properties') yield* Object.keys(value);
    yield* membersOf(value);
  }
}
