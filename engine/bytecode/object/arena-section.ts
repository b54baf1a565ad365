import type { DataVariable } from './data-sections.js';

/** Global variables that live in an arena map (section `.addr_space.1`): its first pages. */
export interface ArenaSection {
  /** The object's only map of type arena. */
  readonly mapName: string;
  readonly bytes: Uint8Array;
  readonly variables: readonly DataVariable[];
}
