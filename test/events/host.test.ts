import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostIdOf, readHostIdentity } from '../../engine/events/index.js';

const MACHINE_ID = '3d1219c7c4c5404aaa1f6d2a48adfda4';
const BOOT_ID = '0b6cb0b3-5c3b-4b0e-8b1a-2b2b4a5f3d11';

describe('host identity', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'vespid-host-'));
    writeFileSync(join(folder, 'boot'), `${BOOT_ID}\n`);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function identityWith(machineId: string | undefined) {
    const path = join(folder, 'machine');
    rmSync(path, { force: true });
    if (machineId !== undefined) writeFileSync(path, machineId);
    return readHostIdentity({ machineId: path, bootId: join(folder, 'boot') }, 'node-1');
  }

  it('is what systemd-id128 gives for the machine id and our application id', () => {
    // systemd-id128 machine-id --app-specific=4a1b6c6e8f0d4c1e9a53d1a7b0c2e4f6 on the host with that machine id
    expect(hostIdOf(MACHINE_ID)).toBe('6c15fa5fc94a49d9a3fceb27a7f645f7');
  });

  it('does not hold the machine id', () => {
    const identity = identityWith(`${MACHINE_ID}\n`);
    expect(identity).toEqual({ id: hostIdOf(MACHINE_ID), name: 'node-1', bootId: BOOT_ID });
    expect(JSON.stringify(identity)).not.toContain(MACHINE_ID);
  });

  it.each([
    ['missing', undefined],
    ['empty', ''],
    ['not yet set', 'uninitialized\n'],
  ])('comes from the boot id when the machine id is %s', (_, machineId) => {
    const identity = identityWith(machineId);
    expect(identity.id).toMatch(/^[0-9a-f]{32}$/);
    expect(identity).toEqual(identityWith(undefined));
    expect(identity.id).not.toBe(hostIdOf(MACHINE_ID));
  });

  it('needs a boot id', () => {
    const files = { machineId: join(folder, 'none'), bootId: join(folder, 'none') };
    expect(() => readHostIdentity(files)).toThrow(expect.objectContaining({ code: 'INPUT_UNREADABLE' }));
  });

  it('can be read here', () => {
    expect(readHostIdentity().id).toMatch(/^[0-9a-f]{32}$/);
  });
});
