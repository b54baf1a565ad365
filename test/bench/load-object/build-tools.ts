import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { TOOL_ENVIRONMENT } from '../run-process.js';

/** What compares itself with libbpf needs: a command or a header, and the Debian package that brings it. */
const NEEDED = [
  { command: 'clang-19', debianPackage: 'clang-19' },
  { command: 'llvm-strip-19', debianPackage: 'llvm-19' },
  { command: 'bpftool', debianPackage: 'bpftool' },
  { command: 'gcc', debianPackage: 'gcc' },
  { header: '/usr/include/bpf/libbpf.h', debianPackage: 'libbpf-dev' },
] as const;

/**
 * Makes sure that the build tools are there: installs Debian's packages where that is possible (as root), as the
 * test command does.
 * @throws Error naming the packages that are missing
 */
export function needBuildTools(): void {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (process.getuid?.() === 0 && isRunnable('apt-get')) {
    process.stderr.write(`installing ${missing.join(' ')}\n`);
    const options = {
      env: { ...TOOL_ENVIRONMENT, DEBIAN_FRONTEND: 'noninteractive' },
      stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'],
    };
    spawnSync('apt-get', ['-q', 'update'], options);
    spawnSync('apt-get', ['-q', 'install', '-y', '--no-install-recommends', ...missing], options);
  }
  const stillMissing = missingPackages();
  if (stillMissing.length > 0) {
    throw new Error(
      `this benchmark needs ${stillMissing.join(', ')}: apt-get install ${stillMissing.join(' ')}`,
    );
  }
}

function missingPackages(): string[] {
  return NEEDED.filter((need) =>
    'header' in need ? !existsSync(need.header) : !isRunnable(need.command),
  ).map(({ debianPackage }) => debianPackage);
}

function isRunnable(command: string): boolean {
  return spawnSync(command, ['--version'], { env: TOOL_ENVIRONMENT, stdio: 'ignore' }).error === undefined;
}
