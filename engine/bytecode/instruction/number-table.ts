/** The names of a table of `isa.ts` by their numbers. */
export function namesByNumber<Name extends string>(
  table: Readonly<Record<Name, number>>,
): ReadonlyMap<number, Name> {
  // Object.entries forgets the type of the keys, which are exactly those of the table.
  const entries = Object.entries(table) as [Name, number][];
  return new Map(entries.map(([name, number]) => [number, name]));
}
