import { BpfMap, MAP_TYPE, probeFeature, u32Key } from 'vespid/bpf';

using map = BpfMap.create({
  name: 'scores',
  type: MAP_TYPE.hash,
  keySize: 4,
  valueSize: 8,
  maxEntries: 16,
  flags: 0,
});
map.update(u32Key(7), Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
console.log(map.get(u32Key(7)));
console.log(map.get(u32Key(8)));

const arena = probeFeature('map/arena');
console.log(`arenas came with Linux ${arena.since}`);
