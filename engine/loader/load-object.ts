import { isGplCompatible } from '../../lsm-hooks/index.js';
import { type LoadedObject, loadObject as loadObjectIntoKernel } from '../bpf/index.js';
import type { ObjectFile, ObjectFunction } from '../bytecode/index.js';
import type { BpfMap } from '../kernel/index.js';
import type { Admission } from './admission.js';

/** Bytes of read-only globals, as they are before the program is loaded. */
export type ConstantValues = Readonly<Record<string, Uint8Array>>;

export interface LoadOptions {
  readonly constants: ConstantValues;
  /** Maps that exist already and stand in for those of the same name. */
  readonly sharedMaps: ReadonlyMap<string, BpfMap>;
  readonly admission: Admission;
  /**
   * Refuse a program that needs a kernel field which is not there. Programs of ours guard nothing by tests for
   * existence; a foreign one may, and then the verifier decides whether the access can be reached.
   */
  readonly needsEveryField: boolean;
  /** Called for each map right after it was made. */
  readonly onMap?: (map: BpfMap) => void;
}

/**
 * Loads the named programs of a verified object, each announced to the gate right before its load, with the facts
 * and the instructions that the kernel will get. On any failure nothing stays behind.
 *
 * @throws VespidError as `loadObject` of engine/bpf
 */
export function loadObject(
  object: ObjectFile,
  programs: readonly ObjectFunction[],
  options: LoadOptions,
): LoadedObject {
  const wanted = new Set(programs);
  return loadObjectIntoKernel(object, {
    programs: (program) => wanted.has(program),
    variables: options.constants,
    maps: options.sharedMaps,
    // A signature allows programs. A name in the machine's bpffs would outlive the run, or be another's map.
    pinPath: null,
    needsEveryField: options.needsEveryField,
    onMap: options.onMap,
    admit: ({ license, ...facts }, instructions) =>
      options.admission.admit({ ...facts, gplCompatible: isGplCompatible(license) }, instructions),
  });
}
