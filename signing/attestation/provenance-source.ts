import type { JsonValue } from '../documents/canonical-json.js';
import type { Provenance } from './provenance.js';

/** What trust is decided by in provenance. */
export interface ProvenanceSource {
  /** `runDetails.builder.id` */
  readonly builder: string;
  /** Where the source came from, without revision: `https://github.com/acme/sensors`. */
  readonly repositories: readonly string[];
}

/** buildType of GitHub's own provenance, and ours for workflows: actions.github.io/buildtypes/workflow/v1. */
export const GITHUB_BUILD_TYPE = 'https://actions.github.io/buildtypes/workflow/v1';
/** buildType of GitLab Runner's provenance, with its version between the two. */
export const GITLAB_BUILD_TYPE = {
  prefix: 'https://gitlab.com/gitlab-org/gitlab-runner/-/blob/',
  suffix: '/PROVENANCE.md',
} as const;

/**
 * Builder and source repository. A buildType says which parameter names the source; a dependency is not a source, or
 * a build of anything that merely fetches from a trusted repository would count as built from it. For a buildType
 * that we do not know, the source is the only git dependency there is, if there is only one.
 */
export function provenanceSource({ buildDefinition, runDetails }: Provenance): ProvenanceSource {
  return { builder: runDetails.builder.id, repositories: repositoriesOf(buildDefinition) };
}

function repositoriesOf(definition: Provenance['buildDefinition']): readonly string[] {
  const { buildType, externalParameters } = definition;
  if (buildType === GITHUB_BUILD_TYPE) return texts(memberOf(externalParameters['workflow'], 'repository'));
  if (buildType.startsWith(GITLAB_BUILD_TYPE.prefix)) return texts(externalParameters['source']);
  const gitUris = (definition.resolvedDependencies ?? []).flatMap(({ uri }) =>
    uri?.startsWith('git+') === true ? [repositoryOf(uri)] : [],
  );
  return gitUris.length === 1 ? gitUris : [];
}

function memberOf(value: JsonValue | undefined, member: string): JsonValue | undefined {
  if (typeof value !== 'object' || value === null || !(member in value)) return undefined;
  // `in` has shown the member; an array has none of the names that are asked for.
  return (value as { readonly [name: string]: JsonValue })[member];
}

function texts(value: JsonValue | undefined): readonly string[] {
  return typeof value === 'string' ? [value] : [];
}

/** `git+https://host/path@revision` (SPDX download location): the revision follows the last `@` of the path. */
function repositoryOf(uri: string): string {
  const url = uri.slice('git+'.length);
  const at = url.lastIndexOf('@');
  return at > url.indexOf('/', url.indexOf('://') + 3) ? url.slice(0, at) : url;
}
