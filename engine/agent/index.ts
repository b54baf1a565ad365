export { Agent, type AgentNotice, type AgentOptions, type AgentSummary, noticeOf } from './agent.js';
export { checkAcceptedBundle, checkBundleSource, openBundle } from './open-bundle.js';
