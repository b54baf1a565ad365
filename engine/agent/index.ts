export { Agent, type AgentNotice, type AgentOptions, type AgentSummary, noticeOf } from './agent.js';
export { checkAcceptedBundle, checkBundle, checkBundleSource, openBundle } from './open-bundle.js';
