export { findField, HOOKS_BY_ID, POLICY_HOOKS } from './catalogue.js';
export {
  EFFECTS,
  type Effect,
  type FieldDefinition,
  type FieldType,
  type HookDefinition,
} from './definition.js';
export { FILE_OPEN } from './file-open.js';
export { NET_CONNECT } from './net-connect.js';
export { PROCESS_EXEC } from './process-exec.js';
export { PATH_MAX_BYTES, PROCESS_FIELDS } from './process-fields.js';
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
