import { existsSync } from 'node:fs';
import { ResourceStack } from '../../../engine/kernel/index.js';
import { GUEST_MODULES, guestModulePath } from '../guest-modules.js';
import { runTool } from '../run-tool.js';

/** Loads the modules that the host put into the guest, and unloads them when disposed of. */
export function loadGuestModules(): Disposable {
  using loading = new ResourceStack();
  for (const { name, parameters } of GUEST_MODULES) {
    const path = guestModulePath(name);
    if (!existsSync(path)) continue; // Built into this kernel: the host has seen to the others.
    runTool('insmod', [path, ...parameters]);
    loading.use({ [Symbol.dispose]: () => void runTool('rmmod', [name]) });
  }
  return loading.move();
}
