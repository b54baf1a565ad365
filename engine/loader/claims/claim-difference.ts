/** The first member in which two claims about one thing differ. */
export interface ClaimDifference {
  readonly member: string;
  readonly stated: unknown;
  readonly found: unknown;
  /** For people. */
  readonly message: string;
}

/** Sets of names, and what a program does with each: calls, reads and the like. */
const NAME_SETS: Readonly<Record<string, string>> = {
  helpers: 'calls',
  kfuncs: 'calls',
  kernelSymbols: 'uses',
  effects: 'can',
  hooks: 'is on',
};

/** @returns undefined when the claims are equal; both must be normalized */
export function describeDifference(stated: object, found: object): ClaimDifference | undefined {
  const foundByMember: Readonly<Record<string, unknown>> = { ...found };
  const statedByMember: Readonly<Record<string, unknown>> = { ...stated };
  const members = new Set([...Object.keys(statedByMember), ...Object.keys(foundByMember)]);
  for (const member of members) {
    const [left, right] = [statedByMember[member], foundByMember[member]];
    if (JSON.stringify(left) === JSON.stringify(right)) continue;
    return { member, stated: left, found: right, message: messageOf(member, left, right) };
  }
  return undefined;
}

function messageOf(member: string, stated: unknown, found: unknown): string {
  const verb = NAME_SETS[member];
  if (verb === undefined || !isNames(stated) || !isNames(found)) {
    return `${member}: the attestation states ${short(stated)}, found ${short(found)}`;
  }
  const unstated = found.filter((name) => !stated.includes(name));
  const unfound = stated.filter((name) => !found.includes(name));
  const differences = [
    ...(unstated.length === 0 ? [] : [`but it also ${verb} ${unstated.join(', ')}`]),
    ...(unfound.length === 0 ? [] : [`but nothing in it ${verb} ${unfound.join(', ')}`]),
  ];
  return `${member}: the attestation states [${stated.join(', ')}], ${differences.join(', ')}`;
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

/** Longest value in a message; the whole of it is in the details. */
const MAX_TEXT = 200;

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
