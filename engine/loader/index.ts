export { type Admission, NO_GATE } from './admission.js';
export { GATE_COOKIE, Gate, type GateMode } from './gate.js';
export { loadObject } from './load-object.js';
export { featureFor, type ObjectPlan, planObject, type RulePlan } from './plan.js';
export { checkClaims, computeClaims } from './program-claims.js';
export { type KernelCounters, KernelSession, type SessionObject, type SessionOptions } from './session.js';
