export { type Admission, NO_GATE } from './admission.js';
export { checkFileClaims } from './claims/check-claims.js';
export {
  type ClaimedFile,
  type Claims,
  computeFileClaims,
  computePredicate,
} from './claims/compute-claims.js';
export { GATE_COOKIE, Gate, type GateMode } from './gate.js';
export { loadObject } from './load-object.js';
export { featureFor, type ObjectPlan, planObject, type RulePlan } from './plan.js';
export { type KernelCounters, KernelSession, type SessionObject, type SessionOptions } from './session.js';
