export { Agent, type AgentNotice, type AgentOptions, type AgentSummary, noticeOf } from './agent.js';
export { openBundle } from './open-bundle.js';
