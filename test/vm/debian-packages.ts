import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.js';

/** What apt knows is in here; it is asked again once this changes. */
const APT_LISTS = '/var/lib/apt/lists';

/** What is made of an unpacked package before it is kept. */
export interface PackageForm {
  /** Part of the directory's name: a package that was kept in another form is unpacked anew. */
  readonly key: string;
  readonly prepare: (directory: string) => void;
}

/**
 * Packages are downloaded and unpacked by apt and dpkg, never installed, so none of this needs root. apt checks
 * their digests against the signed lists.
 */
export class DebianPackages {
  readonly #cacheDirectory: string;
  readonly #log: (line: string) => void;
  readonly #answersPath: string;
  #answers: Record<string, string>;

  constructor(cacheDirectory: string, log: (line: string) => void) {
    this.#cacheDirectory = cacheDirectory;
    this.#log = log;
    mkdirSync(cacheDirectory, { recursive: true });
    this.#answersPath = join(cacheDirectory, `apt-answers-${Math.round(aptListsChangedAtMs())}.json`);
    this.#answers = readAnswers(this.#answersPath);
  }

  /** The name of the newest package that the pattern matches, by the version in the pattern's first group. */
  newestMatching(pattern: RegExp): string {
    return this.#remembered(`newest ${pattern.source}`, () => this.#askNewestMatching(pattern));
  }

  #askNewestMatching(pattern: RegExp): string {
    const matching = () =>
      runTool('apt-cache', ['search', '--names-only', '^linux-image-6\\.'])
        .split('\n')
        .map((line) => pattern.exec(line.split(' ')[0] ?? ''))
        .filter((match) => match !== null)
        .sort((left, right) => compareVersions(left[1] ?? '', right[1] ?? ''))
        .at(-1)?.[0];
    const found = this.#afterUpdateIfMissing(matching);
    if (found !== undefined) return found;
    throw new Error(`apt knows no package like ${pattern.source}; run apt-get update on a Debian 12 machine`);
  }

  /** The directory that holds the unpacked package, downloaded unless this version is there in this form. */
  unpack(name: string, form?: PackageForm): string {
    const file = this.#remembered(`file ${name}`, () => this.#askCandidateFile(name));
    const version = file.replace(/\.deb$/, '');
    const directory = join(this.#cacheDirectory, form === undefined ? version : `${version}+${form.key}`);
    if (existsSync(directory)) return directory;
    this.#log(`downloading ${file}`);
    const workDirectory = mkdtempSync(join(this.#cacheDirectory, 'download-'));
    try {
      this.#download(name, workDirectory);
      const archive = readdirSync(workDirectory).find((entry) => entry.endsWith('.deb'));
      if (archive === undefined) throw new Error(`apt-get download ${name} left no .deb file`);
      const unpacked = join(workDirectory, 'unpacked');
      runTool('dpkg-deb', ['-x', join(workDirectory, archive), unpacked]);
      form?.prepare(unpacked);
      if (!existsSync(directory)) renameSync(unpacked, directory);
    } finally {
      rmSync(workDirectory, { recursive: true, force: true });
    }
    return directory;
  }

  /** The file name of the version that apt would install; it names package, version and architecture. */
  #askCandidateFile(name: string): string {
    const uris = () => /^'[^']*'\s+(\S+)/.exec(runTool('apt-get', ['download', '--print-uris', name]))?.[1];
    const file = this.#afterUpdateIfMissing(uris);
    if (file === undefined) throw new Error(`apt has no source to download ${name} from`);
    return decodeURIComponent(file).replaceAll(/[^\w.+~-]/g, '-');
  }

  #afterUpdateIfMissing(ask: () => string | undefined): string | undefined {
    const answer = ask();
    if (answer !== undefined) return answer;
    this.#updateLists();
    return ask();
  }

  #download(name: string, directory: string): void {
    // Root's apt would drop to user _apt, who cannot write here.
    const args = ['-q', '-o', 'APT::Sandbox::User=root', 'download', name];
    try {
      runTool('apt-get', args, { cwd: directory });
    } catch (error) {
      // Lists that are older than the mirror name files that are gone.
      if (process.getuid?.() !== 0) throw error;
      this.#updateLists();
      runTool('apt-get', args, { cwd: directory });
    }
  }

  /** apt takes most of a second per question. */
  #remembered(question: string, ask: () => string): string {
    const known = this.#answers[question];
    if (known !== undefined) return known;
    const answer = ask();
    this.#answers = { ...this.#answers, [question]: answer };
    const temporary = `${this.#answersPath}.${process.pid}`;
    writeFileSync(temporary, JSON.stringify(this.#answers, null, 2));
    renameSync(temporary, this.#answersPath);
    return answer;
  }

  #updateLists(): void {
    if (process.getuid?.() !== 0) return;
    this.#log('updating the package lists');
    runTool('apt-get', ['-q', 'update']);
  }
}

function aptListsChangedAtMs(): number {
  return statSync(APT_LISTS, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function readAnswers(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  // Written by this class only.
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>;
}

/** Compares the numbers in two versions, left to right. */
export function compareVersions(left: string, right: string): number {
  const numbers = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
  const [a, b] = [numbers(left), numbers(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? -1) - (b[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}
