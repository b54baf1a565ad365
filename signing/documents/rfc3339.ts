const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.\d{1,3})?(?:Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/**
 * A `date-time` of RFC 3339 section 5.6, with capital T and Z, at most milliseconds and no leap second; undefined
 * for anything else, also for a day that its month does not have.
 */
export function parseRfc3339(text: string): Date | undefined {
  const [, day, hour, minute, second] = DATE_TIME.exec(text) ?? [];
  if (day === undefined || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  // `new Date` rolls February 30th over into March, so the day is read alone and must come back the same.
  const midnight = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(midnight.getTime()) || midnight.toISOString().slice(0, 10) !== day) return undefined;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
