import { createHash, createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { VespidError } from '../errors/index.js';

/** Which machine an event is of. */
export interface HostIdentity {
  /** 32 hex digits, the same across boots; the key of every message to Kafka. */
  readonly id: string;
  readonly name: string;
  /** The kernel's random id of this boot; part of event ids, because their times count from boot. */
  readonly bootId: string;
}

export interface HostFiles {
  readonly machineId: string;
  readonly bootId: string;
}

const HOST_FILES: HostFiles = {
  machineId: '/etc/machine-id',
  bootId: '/proc/sys/kernel/random/boot_id',
};

/** Vespid's own id for machine-id(5); `systemd-id128 machine-id --app-specific=` with it gives the host id. */
export const HOST_APPLICATION_ID = '4a1b6c6e8f0d4c1e9a53d1a7b0c2e4f6';

/**
 * Reads the identity of this machine. Without a usable machine id (a container, an image not yet started once)
 * the host id is derived from the boot id and lasts until the next boot.
 *
 * @throws VespidError INPUT_UNREADABLE if the kernel does not give a boot id
 */
export function readHostIdentity(files: HostFiles = HOST_FILES, name = hostname()): HostIdentity {
  const bootId = readBootId(files.bootId);
  const machineId = readMachineId(files.machineId);
  const id = machineId === undefined ? transientHostId(bootId) : hostIdOf(machineId);
  return { id, name, bootId };
}

/**
 * The application-specific id of machine-id(5): the machine id itself is confidential and must not leave the
 * host, so it is the key of an HMAC-SHA256 over Vespid's id; cut to 16 bytes with the bits of a version 4 UUID
 * (sd_id128_get_machine_app_specific(3)).
 *
 * @param machineId 32 hex digits
 */
export function hostIdOf(machineId: string): string {
  const id = createHmac('sha256', Buffer.from(machineId, 'hex'))
    .update(Buffer.from(HOST_APPLICATION_ID, 'hex'))
    .digest()
    .subarray(0, 16);
  id.writeUInt8((id.readUInt8(6) & 0x0f) | 0x40, 6);
  id.writeUInt8((id.readUInt8(8) & 0x3f) | 0x80, 8);
  return id.toString('hex');
}

function transientHostId(bootId: string): string {
  return createHash('sha256').update(`${HOST_APPLICATION_ID}\n${bootId}`).digest('hex').slice(0, 32);
}

function readMachineId(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    // systemd writes "uninitialized" until the first boot is complete.
    return /^[0-9a-f]{32}$/.test(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

function readBootId(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new VespidError('INPUT_UNREADABLE', `${path}: the id of this boot could not be read`, {
      cause,
      hint: 'mount /proc: event ids are unique across boots through it',
    });
  }
}
