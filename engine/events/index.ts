export { buildEvent, type EventContext, eventId, eventTime } from './build-event.js';
export { type DecodedRecord, decodeRecord, type FieldValue } from './decode-record.js';
export {
  EVENT_SCHEMA,
  type EventExec,
  type EventFile,
  type EventHost,
  type EventInteger,
  type EventMatch,
  type EventNet,
  type EventProcess,
  type EventProgram,
  type EventTechnique,
  VERDICTS,
  type Verdict,
  type VespidEvent,
} from './event.js';
export {
  HOST_APPLICATION_ID,
  type HostFiles,
  type HostIdentity,
  hostIdOf,
  readHostIdentity,
} from './host.js';
export type { ProgramEntry, ProgramRule, ProgramTable } from './program-table.js';
export { compareSeverity, SEVERITIES, type Severity } from './severity.js';
export { FanOut } from './sinks/fan-out.js';
export { type JsonlSinkOptions, openJsonlSink } from './sinks/jsonl-sink.js';
export type { KafkaSink, KafkaSinkOptions } from './sinks/kafka-sink.js';
export { openSink } from './sinks/open-sink.js';
export { brokerText, type KafkaBroker, parseSink, type SinkSpec } from './sinks/parse-sink.js';
export type { ClientLogEntry, Sink, SinkContext, SinkNotice, SinkStats } from './sinks/sink.js';
export { openStdoutSink, type StdoutSinkOptions } from './sinks/stdout-sink.js';
export { describeAction, type TableOptions, tableHeader, tableRow } from './table.js';
export { escapeForTerminal } from './terminal-text.js';
