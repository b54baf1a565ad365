export type { CheckedPolicy, CheckedRule, Severity } from './checked-policy.js';
export type { Condition, IpRange, Test } from './condition.js';
export { fieldsOf, testsOf } from './condition-tests.js';
export { evaluateCondition } from './evaluate-condition.js';
export { formatIpAddress, type IpAddress, parseIpAddress } from './ip-address.js';
export { parseCondition } from './lower-condition.js';
export { parsePolicies, parsePolicy } from './parse-policies.js';
export { policyWarnings } from './policy-warnings.js';
