import { createHash } from 'node:crypto';
import type { RecordLayout } from '../../lsm-hooks/index.js';
import { VespidError } from '../errors/index.js';
import { attributionOf } from './attribution.js';
import type { DecodedRecord, FieldValue } from './decode-record.js';
import { EVENT_SCHEMA, VERDICTS, type VespidEvent } from './event.js';
import type { HostIdentity } from './host.js';
import type { ProgramTable } from './program-table.js';

export interface EventContext {
  readonly programs: ProgramTable;
  readonly host: HostIdentity;
  /** Nanoseconds to add to CLOCK_BOOTTIME to get Unix time. */
  readonly clock: { readonly bootToUnixNs: bigint };
}

/** Hex digits of an event id: 128 bits. */
const ID_HEX_DIGITS = 32;
const NS_PER_SECOND = 1_000_000_000n;

/** Where a field stands: `file.path` is `path` in the object `file`. */
interface FieldPlace {
  readonly group: string;
  readonly key: string;
}

const placesOfLayout = new WeakMap<RecordLayout, readonly FieldPlace[]>();

/**
 * Makes an event of a record: says which policies matched, tags techniques, puts fields at their names.
 *
 * @throws VespidError EVENT_PROGRAM_UNKNOWN, EVENT_RULE_UNKNOWN
 */
export function buildEvent(record: DecodedRecord, context: EventContext): VespidEvent {
  const { host } = context;
  const entry = context.programs.get(record.programCookie);
  if (entry === undefined) {
    throw new VespidError(
      'EVENT_PROGRAM_UNKNOWN',
      `event record: no program of this process has the cookie ${record.programCookie}`,
      { hint: 'only records of programs that this process loaded belong in its ring buffer' },
    );
  }
  const { degraded, severity, policy, matches, attack } = attributionOf(entry, record.matchedRules);
  const event = {
    schema: EVENT_SCHEMA,
    id: eventId(host, record.bytes),
    time: eventTime(record.timeNs + context.clock.bootToUnixNs),
    host: { id: host.id, name: host.name },
    hook: record.layout.hook.name,
    verdict: VERDICTS[record.verdict],
    ...(degraded === undefined ? undefined : { degraded }),
    ...(record.failedClosed ? { failed_closed: true } : undefined),
    severity,
    policy,
    matches,
    attack,
    ...fieldGroups(record),
    ...(record.incomplete.length === 0 ? undefined : { incomplete: record.incomplete }),
  };
  // The groups come from the hook catalogue at run time; a test holds VespidEvent, the catalogue and the JSON
  // Schema to each other.
  return event as VespidEvent;
}

/**
 * The id of an event: the first 32 hex digits of SHA-256 over the host id, a line feed, the boot id, a line feed
 * and the bytes of the record. A record is unique on its host by its time, thread and program, and reading the
 * same record again gives the same id.
 */
export function eventId(host: HostIdentity, recordBytes: Uint8Array): string {
  return createHash('sha256')
    .update(`${host.id}\n${host.bootId}\n`)
    .update(recordBytes)
    .digest('hex')
    .slice(0, ID_HEX_DIGITS);
}

/** RFC 3339 in UTC with all nine digits of the nanoseconds. */
export function eventTime(unixNs: bigint): string {
  const seconds = unixNs / NS_PER_SECOND;
  const date = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${date}.${String(unixNs % NS_PER_SECOND).padStart(9, '0')}Z`;
}

function fieldGroups(record: DecodedRecord): Record<string, Record<string, unknown>> {
  const groups: Record<string, Record<string, unknown>> = {};
  const places = placesOf(record.layout);
  for (const [index, place] of places.entries()) {
    groups[place.group] ??= {};
    const group = groups[place.group];
    const value = record.values[index];
    if (group !== undefined && value !== undefined) group[place.key] = jsonValue(value);
  }
  return groups;
}

function jsonValue(value: FieldValue): string | number | boolean {
  return typeof value === 'bigint' ? value.toString() : value;
}

function placesOf(layout: RecordLayout): readonly FieldPlace[] {
  const known = placesOfLayout.get(layout);
  if (known !== undefined) return known;
  const places = layout.slots.map(({ field }) => {
    const dot = field.name.indexOf('.');
    return { group: field.name.slice(0, dot), key: field.name.slice(dot + 1) };
  });
  placesOfLayout.set(layout, places);
  return places;
}
