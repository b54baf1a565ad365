import { RETIRED_ROWS, TECHNIQUE_ROWS } from './techniques.generated.js';

/** The ATT&CK release that the table holds. */
export const ATTACK_VERSION = '19';

/** An ATT&CK technique or sub-technique whose platforms include Linux or containers. */
export interface Technique {
  /** `T1003.008` */
  readonly id: string;
  /** The full name; a sub-technique's starts with that of its technique. */
  readonly name: string;
  /** ATT&CK's short names of the tactics: `credential-access`. */
  readonly tactics: readonly string[];
}

const TECHNIQUES: ReadonlyMap<string, Technique> = new Map(
  TECHNIQUE_ROWS.map(([id, name, tactics]) => [id, { id, name, tactics }]),
);
const REPLACEMENTS: ReadonlyMap<string, string> = new Map(RETIRED_ROWS);

/** The technique of that id in ATT&CK v19, or undefined: ids are exact, `T1003.008`. */
export function findTechnique(id: string): Technique | undefined {
  return TECHNIQUES.get(id);
}

/** The v19 id nearest to an id that v19 retired, or undefined if v19 did not retire it. */
export function replacementFor(retiredId: string): string | undefined {
  return REPLACEMENTS.get(retiredId);
}
