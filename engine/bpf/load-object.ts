import { MAP_TYPE, type ObjectFile, setVariables } from '../bytecode/index.js';
import { VespidError } from '../errors/index.js';
import { KernelTypes, ResourceStack, u32Key } from '../kernel/index.js';
import { fillArena } from './data/arena-memory.js';
import { fillKconfigOfKernel } from './externs/fill-kconfig.js';
import { resolveKernelExterns } from './externs/kernel-externs.js';
import type { LoadObjectOptions } from './load-options.js';
import { LoadedObject } from './loaded-object.js';
import { KCONFIG_SECTION, ObjectMaps } from './maps/object-maps.js';
import { DEFAULT_PIN_PATH } from './maps/pinned-map.js';
import { loadObjectBtf } from './object-btf.js';
import { loadPrograms, relocatePrograms } from './programs/load-programs.js';
import type { LoadedProgram } from './programs/loaded-program.js';
import { type Selection, selectParts } from './selection.js';
import { createStructOpsMap, planStructOps, structOpsRoles } from './struct-ops/struct-ops-map.js';

/**
 * Loads an object: types, maps, then each program in turn. The result owns all that is in the kernel; a load that
 * fails leaves nothing there, no descriptor and no pin.
 *
 * ```ts
 * using object = loadObject(readObject(readFileSync('trace.bpf.o'), 'trace.bpf.o'));
 * using links = object.attachAll();
 * ```
 *
 * @throws VespidError OBJECT_*, CORE_* and EXTERN_* for what this kernel lacks, MAP_INCOMPATIBLE,
 *   PIN_*, STRUCT_OPS_MISMATCH, ATTACH_TARGET_UNKNOWN, BTF_REFUSED, PROGRAM_REFUSED, KERNEL_*
 */
export function loadObject(file: ObjectFile, options: LoadObjectOptions = {}): LoadedObject {
  checkByteOrder(file);
  const object = setVariables(file, options.variables ?? {});
  using resources = new ResourceStack();
  const types = once(() => options.kernelTypes ?? resources.use(new KernelTypes()));
  const externs = once(() => resolveKernelExterns(object, types()));
  const selection = selectParts(object, options.programs);
  const structOps = selection.structOps.map((each) => planStructOps(object, each, types()));
  const relocated = relocatePrograms(object, selection.programs, types, options.needsEveryField ?? false);

  const btf = loadObjectBtf(object, selection);
  if (btf !== undefined) resources.use(btf);
  const maps = resources.use(
    new ObjectMaps(object, btf, {
      maps: options.maps ?? new Map(),
      pinPath: options.pinPath === undefined ? DEFAULT_PIN_PATH : options.pinPath,
      onMap: options.onMap,
    }),
  );
  try {
    createMaps(object, selection, maps, options);
    for (const each of structOps) maps.adopt(each.declared.name, createStructOpsMap(each, btf));
    const arena = fillArena(object, maps, resources);
    const programs = loadPrograms(
      relocated,
      {
        object,
        types,
        externs,
        btf,
        targets: options.targets ?? {},
        roles: structOpsRoles(structOps),
        admit: options.admit,
        references: {
          mapFd: (name) => maps.byName.get(name)?.fd,
          kconfigFd: maps.byName.get(KCONFIG_SECTION)?.fd,
          arenaMapName: object.arena?.mapName,
          externs,
        },
      },
      resources,
    );
    bindConstants(object, programs, maps);
    fillProgramArrays(selection, programs, maps);
    return new LoadedObject(object, { programs, maps, structOps, arena }, resources.move());
  } catch (error) {
    maps.unpin();
    throw error;
  }
}

/** The kernel's verifier and its machine have one byte order, and an object's data and code another. */
function checkByteOrder({ name, byteOrder }: ObjectFile): void {
  const machine = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 'little-endian' : 'big-endian';
  if (byteOrder === machine) return;
  throw new VespidError(
    'OBJECT_BYTE_ORDER',
    `${name} was built for ${byteOrder} machines, and this one is ${machine}`,
    { hint: `build it with clang -target ${machine === 'little-endian' ? 'bpfel' : 'bpfeb'}` },
  );
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function createMaps(
  object: ObjectFile,
  selection: Selection,
  maps: ObjectMaps,
  options: LoadObjectOptions,
): void {
  for (const declared of selection.maps) maps.add(declared);
  maps.fillMapsOfMaps(selection.maps);
  for (const section of object.dataSections) {
    if (selection.dataSections.has(section.name)) maps.addData(section);
  }
  if (!selection.usesKconfig) return;
  maps.addKconfig(fillKconfigOfKernel(object, selection.programs, options.kconfig ?? ''));
}

/** Constants live as long as the programs, so that tools can read them (bpftool shows them as metadata). */
function bindConstants(object: ObjectFile, programs: readonly LoadedProgram[], maps: ObjectMaps): void {
  for (const section of object.dataSections) {
    const map = section.isWritable ? undefined : maps.byName.get(section.name);
    if (map === undefined) continue;
    for (const { program } of programs) {
      try {
        program.bind(map);
      } catch (error) {
        // Kernels before 5.10 have no such command, and nothing depends on it.
        if (!(error instanceof VespidError)) throw error;
      }
    }
  }
}

function fillProgramArrays(selection: Selection, programs: readonly LoadedProgram[], maps: ObjectMaps): void {
  const byName = new Map(programs.map(({ name, program }) => [name, program]));
  for (const { name, type, initialContents } of selection.maps) {
    if (type !== MAP_TYPE.progArray) continue;
    for (const { index, target } of initialContents) {
      // One that the caller's filter left out leaves its slot empty: a tail call there falls through.
      const program = target.kind === 'program' ? byName.get(target.program.name) : undefined;
      if (program !== undefined) maps.byName.get(name)?.update(u32Key(index), u32Key(program.fd));
    }
  }
}
