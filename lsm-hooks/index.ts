export {
  type AttachableHook,
  type AttachCandidate,
  type AttachPoint,
  type Capability,
  readableFields,
} from './attach-candidate.js';
export { ATTACHABLE_HOOKS, findField, HOOKS_BY_ID, POLICY_HOOKS } from './catalogue.js';
export {
  EFFECTS,
  type Effect,
  type FieldDefinition,
  type FieldType,
  type HookDefinition,
} from './definition.js';
export { FILE_OPEN } from './file-open.js';
export {
  encodeTicket,
  encodeTicketFacts,
  GATE_CONFIG,
  GATE_PROGRAMS,
  GUARDED_MAP,
  gateObject,
  isGplCompatible,
  TICKETS_MAP,
  type Ticket,
  type TicketFacts,
} from './gate/index.js';
export { ipv4Text, ipv6Text } from './ip-text.js';
export { NET_CONNECT } from './net-connect.js';
export { PROCESS_EXEC } from './process-exec.js';
export { PATH_MAX_BYTES, PROCESS_FIELDS } from './process-fields.js';
export {
  CONFIG,
  CONFIG_OFFSET,
  COUNTER,
  enterProgram,
  Frame,
  hookMaps,
  MAP_NAME,
  Subprograms,
} from './program/frame.js';
export { KERNEL_TYPES, kernelField } from './program/kernel-types.js';
export type { FieldReaders } from './program/readers.js';
export { emitRecord } from './program/record-emit.js';
export {
  FIRST_FACT_BIT,
  indexMask,
  MAX_SCRATCH_BYTES,
  SCRATCH,
  type ScratchLayout,
  STRING_STATE,
  type StringPlace,
  scratchLayout,
} from './program/scratch-layout.js';
export { emitClaim, emitCount, emitRelease } from './program/slot-claim.js';
export { emitEnsureString, emitStringBase } from './program/strings.js';
export { PROGRAM_LOAD } from './program-load.js';
export {
  MAX_RULES_PER_PROGRAM,
  RECORD_FLAG_INCOMPLETE,
  RECORD_HEADER_BYTES,
  RECORD_OFFSET,
  RECORD_VERDICTS,
  RECORD_VERSION,
  type RecordLayout,
  type RecordSlot,
  type RecordVerdict,
  recordLayout,
  STRING_STATUS,
} from './record-layout.js';
