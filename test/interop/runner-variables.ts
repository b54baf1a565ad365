/** What GitHub's runner tells a job about its build, for the tag `v1` of acme/sensors. */
export const GITHUB_VARIABLES: Readonly<Record<string, string>> = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/sensors',
  GITHUB_REPOSITORY_ID: '1000',
  GITHUB_REPOSITORY_OWNER_ID: '2000',
  GITHUB_REF: 'refs/tags/v1',
  GITHUB_SHA: 'c0'.repeat(20),
  GITHUB_WORKFLOW_REF: 'acme/sensors/.github/workflows/release.yml@refs/tags/v1',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_RUN_ID: '3000',
  GITHUB_RUN_ATTEMPT: '1',
  RUNNER_ENVIRONMENT: 'github-hosted',
};

/** What GitLab's runner tells a job about its build. */
export const GITLAB_VARIABLES: Readonly<Record<string, string>> = {
  GITLAB_CI: 'true',
  CI_PROJECT_URL: 'https://gitlab.com/acme/sensors',
  CI_PROJECT_ID: '1000',
  CI_RUNNER_ID: '2000',
  CI_RUNNER_VERSION: '17.5.0',
  CI_RUNNER_EXECUTABLE_ARCH: 'linux/amd64',
  CI_JOB_ID: '3000',
  CI_JOB_NAME: 'sign',
  CI_JOB_URL: 'https://gitlab.com/acme/sensors/-/jobs/3000',
  CI_PIPELINE_SOURCE: 'push',
  CI_COMMIT_REF_NAME: 'v1',
  CI_COMMIT_SHA: 'c0'.repeat(20),
};
