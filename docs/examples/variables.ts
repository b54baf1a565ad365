import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { loadObject, readObject } from 'vespid/bpf';

const path = process.argv[2] ?? 'commands.bpf.o';
using object = loadObject(readObject(readFileSync(path), path), {
  variables: { only_uid: process.getuid?.() ?? 0, commands: 100n },
});
using _links = object.attachAll();
spawnSync('true');

const commands = object.variable('commands');
console.log(`more than 100: ${Number(commands.get()) > 100}`);
commands.set(0n);

for (const [user, count] of object.view('by_user')) {
  console.log(`user ${user} ran commands: ${Number(count) > 0}`);
}
