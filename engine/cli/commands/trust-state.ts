import { Command } from 'commander';
import { type Forgettable, forget, type NodeMemory } from '../../../signing/index.js';
import { VespidError } from '../../errors/index.js';
import { StateFile } from '../../trust/index.js';
import { helpNotes } from '../help-text.js';
import { printReport, type Report } from '../report.js';
import { jsonOption, stateOption, verboseOption } from '../shared-options.js';
import { factLines, tableLines } from '../text-table.js';

const MEMORY_JSON = `"state": path,
  "trustPolicy" (only if one was accepted): { "version", "digest", "threshold", "rootKeys": [keyId] },
  "bundles": [{ "name", "version", "digest" }]`;

/** What this node must not go back from, and the conscious act of letting it. */
export function trustStateCommand(): Command {
  return new Command('state')
    .description('show, or make this node forget, what it refuses to go back from')
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid trust state show', 'the root keys, and the highest version of each bundle'],
          ['vespid trust state forget starter', 'let an older version of one bundle run again'],
        ],
      }),
    )
    .addCommand(showCommand())
    .addCommand(forgetCommand());
}

function showCommand(): Command {
  return new Command('show')
    .description('show the trust policy and the bundle versions that this node refuses to go back from')
    .addOption(stateOption())
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [['vespid trust state show --json | jq .bundles', 'the versions, for machines']],
        json: `{ "ok": true, ${MEMORY_JSON} }`,
      }),
    )
    .action(
      printReport(({ state }: { readonly state: string }) => describe(state, new StateFile(state).read())),
    );
}

interface ForgetOptions {
  readonly state: string;
  readonly trustPolicy?: true;
}

function forgetCommand(): Command {
  return new Command('forget')
    .description(
      'make this node forget bundles, or its trust policy with the root keys: an older one may come next',
    )
    .argument('[bundles...]', 'names of bundles')
    .option(
      '--trust-policy',
      'forget the trust policy: the next one is the first again, and may be a plain one',
    )
    .addOption(stateOption())
    .addOption(jsonOption())
    .addOption(verboseOption())
    .addHelpText(
      'after',
      helpNotes({
        examples: [
          ['vespid trust state forget starter', 'after a release that must be taken back'],
          ['vespid trust state forget --trust-policy', 'after the loss of too many root keys'],
        ],
        json: `what is left: { "ok": true, ${MEMORY_JSON} }`,
      }),
    )
    .action(printReport(forgetAll));
}

function forgetAll(names: readonly string[], { state, trustPolicy }: ForgetOptions): Report {
  const whats: readonly Forgettable[] = [
    ...names.map((name) => ({ kind: 'bundle', name }) as const),
    ...(trustPolicy === true ? [{ kind: 'trustPolicy' } as const] : []),
  ];
  if (whats.length === 0) {
    throw new VespidError('USAGE', 'expected the name of a bundle or --trust-policy, found neither', {
      hint: '`vespid trust state show` lists what this node remembers',
    });
  }
  return describe(
    state,
    new StateFile(state).update((memory) => whats.reduce(forget, memory)),
  );
}

function describe(state: string, { trustPolicy, bundles }: NodeMemory): Report {
  const rows = [...bundles].map(([name, { version, digest }]) => ({ name, version, digest }));
  rows.sort((left, right) => (left.name < right.name ? -1 : 1));
  const root =
    trustPolicy === undefined
      ? undefined
      : {
          version: trustPolicy.version,
          digest: trustPolicy.digest,
          threshold: trustPolicy.rootKeys.threshold,
          rootKeys: trustPolicy.rootKeys.keys.map(({ keyId }) => keyId),
        };
  const facts = factLines([
    ['state', state],
    [
      'trust policy',
      root === undefined ? 'no signed one was accepted' : `version ${root.version}, ${root.digest}`,
    ],
    ...(root === undefined
      ? []
      : [['next signed by', `${root.threshold} of ${root.rootKeys.length}`] as const]),
    ...(root?.rootKeys ?? []).map((keyId) => ['root key', keyId] as const),
    ['bundles', rows.length === 0 ? 'none with a version ran' : String(rows.length)],
  ]);
  const table = tableLines(
    [{ title: 'BUNDLE' }, { title: 'VERSION' }, { title: 'DIGEST' }],
    rows.map(({ name, version, digest }) => [name, version, digest]),
  );
  return {
    text: [...facts, ...(rows.length === 0 ? [] : ['', ...table])].join('\n'),
    json: { state, ...(root === undefined ? {} : { trustPolicy: root }), bundles: rows },
  };
}
