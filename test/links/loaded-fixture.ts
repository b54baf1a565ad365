import { programNamed, readObject } from '../../engine/bytecode/index.js';
import { type BpfMap, type BpfProgram, u32Key } from '../../engine/kernel/index.js';
import { type LoadedObject, loadObject, NO_GATE } from '../../engine/loader/index.js';

/** Programs of a C fixture, loaded and not attached. */
export class LoadedFixture implements Disposable {
  readonly #object: LoadedObject;

  /** Loads these programs of an object that clang made, and the maps that they name. */
  constructor(bytes: Uint8Array, programs: readonly string[]) {
    const object = readObject(bytes, 'fixture.bpf.o');
    this.#object = loadObject(
      object,
      programs.map((name) => programNamed(object, name)),
      { constants: {}, sharedMaps: new Map(), admission: NO_GATE, needsEveryField: true },
    );
  }

  program(name: string): BpfProgram {
    const found = this.#object.programs.find((each) => each.name === name);
    if (found === undefined) throw new Error(`${name} was not loaded`);
    return found.program;
  }

  map(name: string): BpfMap {
    const map = this.#object.maps.get(name);
    if (map === undefined) throw new Error(`there is no map ${name}`);
    return map;
  }

  /** An element of an array of u64. */
  u64(mapName: string, index: number): bigint {
    const value = new Uint8Array(8);
    this.map(mapName).lookup(u32Key(index), value);
    return new DataView(value.buffer).getBigUint64(0, true);
  }

  setU64(mapName: string, index: number, value: bigint): void {
    this.map(mapName).update(u32Key(index), new Uint8Array(new BigUint64Array([value]).buffer));
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}
