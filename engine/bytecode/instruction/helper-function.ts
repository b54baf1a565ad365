import { HELPER } from './helper-functions.generated.js';

export type HelperName = keyof typeof HELPER;

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(HELPER).map(([name, id]) => [id, name]));
const IDS: ReadonlyMap<string, number> = new Map(Object.entries(HELPER));

/** Without `bpf_`: `map_lookup_elem` for 1; undefined for a number that Linux 6.12 does not have. */
export function helperName(helperId: number): string | undefined {
  return NAMES.get(helperId);
}

/** The number of a helper by its name with or without `bpf_`. */
export function helperId(name: string): number | undefined {
  return IDS.get(name.replace(/^bpf_/, ''));
}
