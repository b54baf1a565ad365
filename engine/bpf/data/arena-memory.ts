import { MAP_TYPE, type ObjectFile, type ObjectMap } from '../../bytecode/index.js';
import { VespidError } from '../../errors/index.js';
import { type BpfMap, MAP_FLAG, pageBytes, type ResourceStack } from '../../kernel/index.js';
import type { ObjectMaps } from '../maps/object-maps.js';
import { type GlobalMemory, sharedMemory } from './global-memory.js';

/**
 * Maps the arenas of an object and fills in its global variables there. The kernel fixes an arena's address when it
 * is first mapped, so that this comes before programs are loaded, and the memory stays mapped as long as they are.
 *
 * @returns the arena that has the variables
 * @throws VespidError KERNEL_CALL_FAILED
 */
export function fillArena(
  object: ObjectFile,
  maps: ObjectMaps,
  resources: ResourceStack,
): GlobalMemory | undefined {
  let withVariables: GlobalMemory | undefined;
  for (const declared of object.maps) {
    const map = declared.type === MAP_TYPE.arena ? maps.byName.get(declared.name) : undefined;
    if (map === undefined) continue;
    const memory = mapArena(map, declared.mapExtra, resources);
    if (object.arena === undefined || object.arena.mapName !== declared.name) continue;
    checkArena(object.name, declared, object.arena.bytes.byteLength);
    if (maps.isNew(declared.name)) memory.write(0, object.arena.bytes);
    withVariables = memory;
  }
  return withVariables;
}

/** What would end this process instead of failing: memory that the kernel will not give on first touch. */
function checkArena(objectName: string, arena: ObjectMap, byteLength: number): void {
  const room = arena.maxEntries * pageBytes();
  if ((arena.flags & MAP_FLAG.segvOnFault) === 0 && byteLength <= room) return;
  const reason =
    byteLength > room
      ? `${byteLength} bytes of variables do not fit into ${room}`
      : 'BPF_F_SEGV_ON_FAULT keeps its variables from being filled in';
  throw new VespidError('OBJECT_UNSUPPORTED', `${objectName}: arena ${arena.name}: ${reason}`, {
    details: { object: objectName, map: arena.name },
  });
}

/** `map_extra` is the address that programs and this process share; 0 leaves it to the kernel. */
function mapArena(map: BpfMap, address: bigint, resources: ResourceStack): GlobalMemory {
  return sharedMemory(
    resources.use(map.mapMemory({ fixedAddress: address === 0n ? undefined : address })),
    true,
  );
}
