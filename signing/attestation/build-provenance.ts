import { VespidError } from '../../engine/errors/index.js';
import type { Provenance } from './provenance.js';
import { GITHUB_BUILD_TYPE, GITLAB_BUILD_TYPE } from './provenance-source.js';

/** Environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What the CI system says about the build that this process is part of; undefined outside of GitHub Actions and
 * GitLab CI. Every script of a build can set these variables: provenance is worth as much as its signer.
 *
 * @throws VespidError PROVENANCE_VARIABLE_MISSING naming the variable, PROVENANCE_VARIABLE_INVALID
 */
export function buildProvenance(environment: Environment): Provenance | undefined {
  if (environment['GITHUB_ACTIONS'] === 'true')
    return githubProvenance(new Variables(environment, 'GitHub Actions'));
  if (environment['GITLAB_CI'] === 'true') return gitlabProvenance(new Variables(environment, 'GitLab CI'));
  return undefined;
}

/**
 * The shape of actions.github.io/buildtypes/workflow/v1, from the variables of docs.github.com, "Default environment
 * variables". The builder is the kind of runner, as npm's provenance has it: the hosted ones are GitHub's, the
 * others whoever's.
 */
function githubProvenance(variables: Variables): Provenance {
  const server = variables.url('GITHUB_SERVER_URL');
  const repository = variables.text('GITHUB_REPOSITORY');
  const ref = variables.uriPart('GITHUB_REF');
  // octocat/hello-world/.github/workflows/release.yml@refs/tags/v1
  const workflowRef = variables.text('GITHUB_WORKFLOW_REF');
  const at = workflowRef.lastIndexOf('@');
  if (!workflowRef.startsWith(`${repository}/`) || at === -1) {
    throw variables.invalid('GITHUB_WORKFLOW_REF', `${repository}/PATH@REF`);
  }
  const run = variables.number('GITHUB_RUN_ID');
  return {
    buildDefinition: {
      buildType: GITHUB_BUILD_TYPE,
      externalParameters: {
        workflow: {
          ref: workflowRef.slice(at + 1),
          repository: `${server}/${repository}`,
          path: workflowRef.slice(repository.length + 1, at),
        },
      },
      internalParameters: {
        github: {
          event_name: variables.text('GITHUB_EVENT_NAME'),
          repository_id: variables.number('GITHUB_REPOSITORY_ID'),
          repository_owner_id: variables.number('GITHUB_REPOSITORY_OWNER_ID'),
        },
      },
      resolvedDependencies: [
        {
          uri: `git+${server}/${repository}@${ref}`,
          digest: { gitCommit: variables.commit('GITHUB_SHA') },
        },
      ],
    },
    runDetails: {
      builder: { id: `https://github.com/actions/runner/${variables.uriPart('RUNNER_ENVIRONMENT')}` },
      metadata: {
        invocationId: `${server}/${repository}/actions/runs/${run}/attempts/${variables.number('GITHUB_RUN_ATTEMPT')}`,
      },
    },
  };
}

/**
 * The shape of GitLab Runner's own provenance (docs.gitlab.com, "SLSA provenance specification"), from the variables
 * of "Predefined CI/CD variables reference". Unlike the runner, we leave out the values of all variables, among
 * which are secrets, and call the commit a gitCommit, which it is, not a sha256.
 */
function gitlabProvenance(variables: Variables): Provenance {
  const project = variables.url('CI_PROJECT_URL');
  const version = variables.uriPart('CI_RUNNER_VERSION');
  const job = variables.number('CI_JOB_ID');
  return {
    buildDefinition: {
      buildType: `${GITLAB_BUILD_TYPE.prefix}v${version}${GITLAB_BUILD_TYPE.suffix}`,
      externalParameters: { source: project, entryPoint: variables.text('CI_JOB_NAME') },
      internalParameters: {
        architecture: variables.text('CI_RUNNER_EXECUTABLE_ARCH'),
        job,
        pipeline_source: variables.text('CI_PIPELINE_SOURCE'),
        project_id: variables.number('CI_PROJECT_ID'),
      },
      resolvedDependencies: [
        {
          uri: `git+${project}@${variables.uriPart('CI_COMMIT_REF_NAME')}`,
          digest: { gitCommit: variables.commit('CI_COMMIT_SHA') },
        },
      ],
    },
    runDetails: {
      builder: {
        id: `${project}/-/runners/${variables.number('CI_RUNNER_ID')}`,
        version: { 'gitlab-runner': version },
      },
      metadata: { invocationId: variables.url('CI_JOB_URL') },
    },
  };
}

/** Longest value taken; the longest of these variables is a git ref (255 bytes a part) in a URL. */
const MAX_VALUE = 2048;

/** Variables that a CI system documents as always set. */
class Variables {
  readonly #environment: Environment;
  readonly #system: string;

  constructor(environment: Environment, system: string) {
    this.#environment = environment;
    this.#system = system;
  }

  text(name: string): string {
    const value = this.#environment[name];
    if (value === undefined || value === '') {
      throw new VespidError('PROVENANCE_VARIABLE_MISSING', `${this.#system} without the variable ${name}`, {
        hint: 'pass the variable into the container or step that signs, or give the provenance by --provenance FILE',
        details: { variable: name },
      });
    }
    if (value.length > MAX_VALUE || /[\p{Cc}\p{Cs}]/u.test(value)) {
      throw this.invalid(name, `one line of at most ${MAX_VALUE} characters`);
    }
    return value;
  }

  /** Fit to stand in a URI: names of branches may be of any alphabet (RFC 3986, 2.1). */
  uriPart(name: string): string {
    return encodeURI(this.text(name));
  }

  /** A number as text: ids pass 2^53 some day, and their sources say strings. */
  number(name: string): string {
    const value = this.text(name);
    if (/^[0-9]{1,20}$/.test(value)) return value;
    throw this.invalid(name, 'a number');
  }

  /** SHA-1 or SHA-256 of a commit. */
  commit(name: string): string {
    const value = this.text(name);
    if (/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value)) return value;
    throw this.invalid(name, '40 or 64 hexadecimal digits');
  }

  /** Without a slash at the end. Credentials in it would be published. */
  url(name: string): string {
    const value = this.text(name).replace(/\/$/, '');
    if (/^https?:\/\/[^\s/@]+(\/[^\s@]*)?$/.test(value)) return value;
    throw this.invalid(name, 'an HTTP URL without credentials');
  }

  invalid(name: string, expected: string): VespidError {
    const found = JSON.stringify(this.#environment[name]?.slice(0, MAX_VALUE));
    return new VespidError(
      'PROVENANCE_VARIABLE_INVALID',
      `expected ${name} to be ${expected}, found ${found}`,
      {
        hint: `see what ${this.#system} documents about it; nothing in the build should set it`,
        details: { variable: name },
      },
    );
  }
}
