import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Debian's buildah with all of its storage in a temporary folder, so that nothing outlives this object. */
export class Buildah {
  readonly #storage = mkdtempSync(join(tmpdir(), 'vespid-image-'));
  readonly #mounted: string[] = [];

  /** Runs a buildah command and returns its output without the final newline. */
  run(...args: readonly string[]): string {
    const result = this.#spawn(args, ['ignore', 'pipe', 'pipe']);
    if (result.status === 0) return result.stdout.trimEnd();
    throw new Error(
      `buildah ${args.join(' ')} ended with ${result.status}:\n${result.stdout}${result.stderr}`,
    );
  }

  /** Makes a container from an image. */
  from(image: string): string {
    return this.run('from', '--pull-never', image);
  }

  /** The container's file system, as a path of this machine. */
  mount(container: string): string {
    const path = this.run('mount', container);
    this.#mounted.push(container);
    return path;
  }

  execute(container: string, ...command: readonly string[]): string {
    return this.run('run', '--isolation', 'chroot', container, '--', ...command);
  }

  remove(): void {
    for (const container of this.#mounted) this.#spawn(['umount', container], 'ignore');
    this.#spawn(['rm', '--all'], 'ignore');
    rmSync(this.#storage, { recursive: true, force: true });
  }

  #spawn(args: readonly string[], stdio: 'ignore' | ['ignore', 'pipe', 'pipe']) {
    const storage = ['--root', join(this.#storage, 'root'), '--runroot', join(this.#storage, 'run')];
    const result = spawnSync('buildah', [...storage, '--storage-driver', 'vfs', ...args], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
      stdio,
    });
    if (result.error !== undefined) throw new Error(`cannot run buildah: ${result.error.message}`);
    return result;
  }
}
