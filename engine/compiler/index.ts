export { type CompiledObject, compilePolicies } from './compile.js';
export { deliveredEffect } from './rule-program.js';
export { decodeRuleTable, type RuleOrigin, type RuleTable } from './rule-table.js';
