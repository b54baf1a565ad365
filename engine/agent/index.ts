export { Agent, type AgentNotice, type AgentOptions, type AgentSummary } from './agent.js';
export { openBundle, openTrustPolicy } from './open-bundle.js';
