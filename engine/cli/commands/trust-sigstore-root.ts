import { Command } from 'commander';
import { VespidError } from '../../errors/index.js';
import { fetchSigstoreRoot, SIGSTORE_MIRROR_URL } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { readInputFile } from '../input-file.js';
import { replaceFile } from '../output-file.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, verboseOption } from '../shared-options.js';
import { factLines } from '../text-table.js';

interface SigstoreRootOptions {
  readonly out: string;
  readonly mirror?: string;
  readonly tufRoot?: string;
}

const FILE_MODE = 0o644;

export function trustSigstoreRootCommand(): Command {
  return new Command('sigstore-root')
    .description('fetch the trusted root of a Sigstore instance, for identities in a trust policy')
    .requiredOption('--out <file>', 'where to write it; an older one is replaced')
    .option('--mirror <url>', `TUF repository (default: ${SIGSTORE_MIRROR_URL}, the public instance)`)
    .option('--tuf-root <file>', 'root.json to start from; needed with --mirror')
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid trust sigstore-root --out trusted_root.json', "Sigstore's public instance"],
          [
            'vespid trust sigstore-root --mirror https://tuf.example.com --tuf-root root.json --out trusted_root.json',
            'one of your own',
          ],
        ],
        json: '{ "ok": true, "trustedRoot": path, "mirror": url }',
      }),
    )
    .action(printReport(fetchRoot));
}

async function fetchRoot({ out, mirror, tufRoot }: SigstoreRootOptions): Promise<Report> {
  const mirrorUrl = mirrorOf(mirror, tufRoot);
  // Said now rather than as a fault of the repository.
  if (tufRoot !== undefined) readInputFile(tufRoot);
  replaceFile(out, await fetchSigstoreRoot({ mirrorUrl, rootPath: tufRoot }), FILE_MODE);
  return {
    text: [
      ...factLines([
        ['trusted root', out],
        ['fetched from', mirrorUrl],
      ]),
      '',
      `Name it in a trust policy beside it: sigstore: { trustedRoot: ${out} }`,
    ].join('\n'),
    json: { trustedRoot: out, mirror: mirrorUrl },
  };
}

function mirrorOf(mirror: string | undefined, tufRoot: string | undefined): string {
  if (mirror === undefined && tufRoot === undefined) return SIGSTORE_MIRROR_URL;
  if (mirror === undefined || tufRoot === undefined) {
    throw new VespidError('USAGE', 'expected --mirror and --tuf-root together, found one of them', {
      hint: 'a repository can only be trusted from its own root; the public one needs neither',
    });
  }
  // TUF signs all that it fetches, so the scheme is the mirror's business.
  const url = URL.canParse(mirror) ? new URL(mirror) : undefined;
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url.href.replace(/\/+$/, '');
  throw new VespidError('USAGE', `--mirror: expected an http or https URL, found ${JSON.stringify(mirror)}`, {
    hint: `give the address of a TUF repository, like ${SIGSTORE_MIRROR_URL}`,
  });
}
