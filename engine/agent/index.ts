export { Agent, type AgentNotice, type AgentOptions, type AgentSummary, noticeOf } from './agent.js';
export { openBundle, openTrustPolicy } from './open-bundle.js';
