import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadObject, RingBuffer, readObject } from 'vespid/bpf';

const path = process.argv[2] ?? 'commands.bpf.o';
using object = loadObject(readObject(readFileSync(path), path));
using events = RingBuffer.copying(
  object.map('events'),
  (record) => {
    const pid = new DataView(record.buffer).getUint32(0, true);
    const comm = new TextDecoder().decode(record.subarray(4)).replace(/\0.*$/s, '');
    console.log(`process ${pid} runs ${comm}`);
  },
  { poll: false },
);
{
  using _links = object.attachAll();
  spawnSync('true');
}
events.drain();
