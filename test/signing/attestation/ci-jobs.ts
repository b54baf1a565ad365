/** The variables of a job at a tag in GitHub Actions, as far as provenance is made of them. */
export const GITHUB_JOB: Readonly<Record<string, string>> = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'acme/sensors',
  GITHUB_REF: 'refs/tags/v1.2.0',
  GITHUB_WORKFLOW_REF: 'acme/sensors/.github/workflows/release.yml@refs/tags/v1.2.0',
  GITHUB_SHA: 'c'.repeat(40),
  GITHUB_RUN_ID: '8123456789',
  GITHUB_RUN_ATTEMPT: '2',
  GITHUB_EVENT_NAME: 'push',
  GITHUB_REPOSITORY_ID: '1296269',
  GITHUB_REPOSITORY_OWNER_ID: '583231',
  RUNNER_ENVIRONMENT: 'github-hosted',
};

/** Those of a job on a branch in GitLab CI. */
export const GITLAB_JOB: Readonly<Record<string, string>> = {
  GITLAB_CI: 'true',
  CI_PROJECT_URL: 'https://gitlab.com/acme/sensors',
  CI_PROJECT_ID: '42',
  CI_JOB_NAME: 'sign bundle',
  CI_JOB_ID: '7001',
  CI_JOB_URL: 'https://gitlab.com/acme/sensors/-/jobs/7001',
  CI_PIPELINE_SOURCE: 'push',
  CI_COMMIT_REF_NAME: 'main',
  CI_COMMIT_SHA: 'd'.repeat(40),
  CI_RUNNER_ID: '12270831',
  CI_RUNNER_VERSION: '17.5.0',
  CI_RUNNER_EXECUTABLE_ARCH: 'linux/amd64',
};
