import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../engine/errors/index.js';
import { provenanceStatement, readProvenanceStatement } from '../../../signing/attestation/provenance.js';
import { provenanceSource } from '../../../signing/attestation/provenance-source.js';
import { buildProvenance, type Provenance, readProvenanceFile } from '../../../signing/index.js';
import { expectRefusal, utf8 } from '../sample-bundle.js';
import { GITHUB_JOB as GITHUB, GITLAB_JOB as GITLAB } from './ci-jobs.js';

const BUNDLE = { name: 'starter', digest: `sha256:${'a'.repeat(64)}` };

function provenanceOf(environment: Readonly<Record<string, string | undefined>>): Provenance {
  const provenance = buildProvenance(environment);
  if (provenance === undefined) throw new Error('no provenance');
  return provenance;
}

describe('buildProvenance', () => {
  test('is undefined outside of a known CI system', () => {
    expect(buildProvenance({ CI: 'true', HOME: '/root' })).toBeUndefined();
  });

  test('has the form of GitHub’s workflow build type', () => {
    expect(provenanceOf(GITHUB)).toEqual({
      buildDefinition: {
        buildType: 'https://actions.github.io/buildtypes/workflow/v1',
        externalParameters: {
          workflow: {
            ref: 'refs/tags/v1.2.0',
            repository: 'https://github.com/acme/sensors',
            path: '.github/workflows/release.yml',
          },
        },
        internalParameters: {
          github: { event_name: 'push', repository_id: '1296269', repository_owner_id: '583231' },
        },
        resolvedDependencies: [
          {
            uri: 'git+https://github.com/acme/sensors@refs/tags/v1.2.0',
            digest: { gitCommit: 'c'.repeat(40) },
          },
        ],
      },
      runDetails: {
        builder: { id: 'https://github.com/actions/runner/github-hosted' },
        metadata: {
          invocationId: 'https://github.com/acme/sensors/actions/runs/8123456789/attempts/2',
        },
      },
    });
  });

  test('has the form of GitLab Runner’s', () => {
    expect(provenanceOf(GITLAB)).toMatchObject({
      buildDefinition: {
        buildType: 'https://gitlab.com/gitlab-org/gitlab-runner/-/blob/v17.5.0/PROVENANCE.md',
        externalParameters: { source: 'https://gitlab.com/acme/sensors', entryPoint: 'sign bundle' },
        resolvedDependencies: [
          { uri: 'git+https://gitlab.com/acme/sensors@main', digest: { gitCommit: 'd'.repeat(40) } },
        ],
      },
      runDetails: {
        builder: { id: 'https://gitlab.com/acme/sensors/-/runners/12270831' },
        metadata: { invocationId: 'https://gitlab.com/acme/sensors/-/jobs/7001' },
      },
    });
  });

  test.each(
    [GITHUB, GITLAB].flatMap((environment) =>
      Object.keys(environment)
        .slice(1)
        .map((variable) => ({ environment, variable })),
    ),
  )('names $variable when it is missing', ({ environment, variable }) => {
    const refusal = expectRefusal('PROVENANCE_VARIABLE_MISSING', () =>
      buildProvenance({ ...environment, [variable]: undefined }),
    );
    expect(refusal.message).toContain(variable);
    expect(refusal.details).toEqual({ variable });
  });

  test.each([
    { name: 'a workflow of another repository', GITHUB_WORKFLOW_REF: 'evil/x/.github/workflows/a.yml@main' },
    { name: 'a workflow without ref', GITHUB_WORKFLOW_REF: 'acme/sensors/.github/workflows/a.yml' },
    { name: 'a short commit', GITHUB_SHA: 'c0ffee' },
    { name: 'an id that is no number', GITHUB_RUN_ID: '1/../2' },
    { name: 'a server with credentials', GITHUB_SERVER_URL: 'https://me:secret@github.com' },
    { name: 'a server that is no URL', GITHUB_SERVER_URL: 'github.com' },
    { name: 'two lines', GITHUB_EVENT_NAME: 'push\nevil' },
    { name: 'a value without end', GITHUB_REF: 'x'.repeat(3000) },
  ])('refuses $name', ({ name: _, ...change }) => {
    expectRefusal('PROVENANCE_VARIABLE_INVALID', () => buildProvenance({ ...GITHUB, ...change }));
  });

  test('whatever it accepts, its reader accepts too', () => {
    const any = fc.record({
      name: fc.constantFrom(...Object.keys(GITHUB).slice(1)),
      value: fc.string({ unit: 'binary' }),
    });
    fc.assert(
      fc.property(any, ({ name, value }) => {
        const provenance = acceptedOrUndefined(() => provenanceOf({ ...GITHUB, [name]: value }));
        if (provenance === undefined) return;
        const payload = provenanceStatement(BUNDLE, provenance);
        expect(readProvenanceStatement(payload, BUNDLE).predicate).toEqual(provenance);
      }),
    );
    const branch = provenanceOf({ ...GITHUB, GITHUB_REF: 'refs/heads/größe%41' });
    expect(readProvenanceStatement(provenanceStatement(BUNDLE, branch), BUNDLE).predicate).toEqual(branch);
  });
});

function acceptedOrUndefined<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toHaveProperty('code', expect.stringMatching(/^PROVENANCE_VARIABLE_/));
    return undefined;
  }
}

describe('readProvenanceStatement', () => {
  const statement = (edit: (text: string) => string) =>
    utf8(edit(new TextDecoder().decode(provenanceStatement(BUNDLE, provenanceOf(GITHUB)))));

  test('keeps members that it does not know', () => {
    const payload = statement((text) => text.replace('"runDetails":{', '"runDetails":{"aaa":{"x":1},'));
    expect(readProvenanceStatement(payload, BUNDLE).predicate.runDetails).toMatchObject({ aaa: { x: 1 } });
  });

  test.each<{ name: string; edit: (text: string) => string; code: ErrorCode }>([
    {
      name: 'another bundle’s',
      edit: (text) => text.replace('a'.repeat(64), 'b'.repeat(64)),
      code: 'BUNDLE_SUBJECT_MISMATCH',
    },
    {
      name: 'another name',
      edit: (text) => text.replace('bundle:starter', 'bundle:other'),
      code: 'BUNDLE_SUBJECT_MISMATCH',
    },
    {
      name: 'two subjects',
      edit: (text) => text.replace(/"subject":\[(.*?\})\]/, '"subject":[$1,$1]'),
      code: 'BUNDLE_STATEMENT_INVALID',
    },
    {
      name: 'the predicate type of the content',
      edit: (text) =>
        text.replace('https://slsa.dev/provenance/v1', 'https://vespid.dev/attestation/bundle/v1'),
      code: 'BUNDLE_STATEMENT_INVALID',
    },
    {
      name: 'no builder',
      edit: (text) => text.replace(/"builder":\{[^}]*\},/, ''),
      code: 'BUNDLE_STATEMENT_INVALID',
    },
    { name: 'white space', edit: (text) => `${text}\n`, code: 'BUNDLE_JSON_NOT_CANONICAL' },
  ])('refuses $name', ({ edit, code }) => {
    expectRefusal(code, () => readProvenanceStatement(statement(edit), BUNDLE));
  });
});

describe('readProvenanceFile', () => {
  const minimal = {
    buildDefinition: { buildType: 'https://ci.example/build/v1', externalParameters: {} },
    runDetails: { builder: { id: 'https://ci.example/builder' } },
  };
  const { buildDefinition, runDetails } = minimal;

  test('takes what the specification requires, and more', () => {
    const more = { ...minimal, byproducts: [{ uri: 'https://ci.example/log' }] };
    expect(readProvenanceFile(utf8(JSON.stringify(more, null, 2)), 'p.json')).toEqual(more);
  });

  test.each([
    ['no JSON', 'nonsense'],
    ['a fraction', '{"a":1.5}'],
    ['a member twice', '{"buildDefinition":{},"buildDefinition":{}}'],
    ['no object', '[]'],
    ['no runDetails', JSON.stringify({ buildDefinition })],
    ['no buildType', JSON.stringify({ buildDefinition: { externalParameters: {} }, runDetails })],
    ['no externalParameters', JSON.stringify({ buildDefinition: { buildType: 'x:y' }, runDetails })],
    [
      'a builder id that is no URI',
      JSON.stringify({ buildDefinition, runDetails: { builder: { id: 'me' } } }),
    ],
    [
      'a dependency that names nothing',
      JSON.stringify({ buildDefinition: { ...buildDefinition, resolvedDependencies: [{}] }, runDetails }),
    ],
    [
      'a time without zone',
      JSON.stringify({
        buildDefinition,
        runDetails: { ...runDetails, metadata: { startedOn: '2026-11-24T10:00:00' } },
      }),
    ],
    ['a whole statement', JSON.stringify({ predicate: minimal })],
  ])('refuses %s', (_, text) => {
    expect(
      expectRefusal('PROVENANCE_INVALID', () => readProvenanceFile(utf8(text), 'p.json')).message,
    ).toContain('p.json');
  });
});

describe('provenanceSource', () => {
  const other = (uris: readonly string[]): Provenance => ({
    buildDefinition: {
      buildType: 'https://ci.example/v1',
      externalParameters: { source: 'https://example.org/claimed' },
      resolvedDependencies: uris.map((uri) => ({ uri })),
    },
    runDetails: { builder: { id: 'https://ci.example/builder' } },
  });

  test.each<{ name: string; provenance: Provenance; repositories: string[] }>([
    { name: 'GitHub', provenance: provenanceOf(GITHUB), repositories: ['https://github.com/acme/sensors'] },
    { name: 'GitLab', provenance: provenanceOf(GITLAB), repositories: ['https://gitlab.com/acme/sensors'] },
    {
      name: 'one git dependency of another build type',
      provenance: other(['git+https://h.example/a/b@refs/heads/main', 'pkg:npm/x@1']),
      repositories: ['https://h.example/a/b'],
    },
    {
      name: 'without revision, with a user',
      provenance: other(['git+ssh://git@h.example/a/b']),
      repositories: ['ssh://git@h.example/a/b'],
    },
    {
      name: 'two git dependencies: which is the source is not known',
      provenance: other(['git+https://h.example/a/b@1', 'git+https://h.example/c/d@1']),
      repositories: [],
    },
  ])('$name', ({ provenance, repositories }) => {
    expect(provenanceSource(provenance).repositories).toEqual(repositories);
  });

  test('a dependency on a trusted repository is not a build of it', () => {
    const provenance = provenanceOf({
      ...GITHUB,
      GITHUB_REPOSITORY: 'evil/x',
      GITHUB_WORKFLOW_REF: 'evil/x/a.yml@m',
    });
    const { resolvedDependencies = [] } = provenance.buildDefinition;
    const more = [...resolvedDependencies, { uri: 'git+https://github.com/acme/sensors@main' }];
    const buildDefinition = { ...provenance.buildDefinition, resolvedDependencies: more };
    expect(provenanceSource({ ...provenance, buildDefinition }).repositories).toEqual([
      'https://github.com/evil/x',
    ]);
  });
});
