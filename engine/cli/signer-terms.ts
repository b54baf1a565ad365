import { type Command, Option } from 'commander';
import type { Insertion, YamlValue } from '../trust/index.js';

/** What `trust add` takes of every kind of signer: until when it counts, what it may sign, and its groups. */
export interface SignerTermsOptions {
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly group?: readonly string[];
  readonly bundle?: readonly string[];
  readonly programType?: readonly string[];
  readonly attachType?: readonly string[];
  readonly attachTarget?: readonly string[];
  readonly allowHelper?: readonly string[];
  readonly denyHelper?: readonly string[];
  readonly allowKfunc?: readonly string[];
  readonly denyKfunc?: readonly string[];
  readonly effect?: readonly string[];
}

export function addSignerTerms(command: Command): Command {
  const list = (flags: string, description: string) =>
    new Option(flags, `${description}; may be repeated`).argParser<string[]>((value, before = []) => [
      ...before,
      value,
    ]);
  const options = [
    new Option('--valid-from <time>', 'first moment at which signatures count, RFC 3339'),
    new Option('--valid-until <time>', 'first moment at which they no longer count'),
    list('--group <name>', 'group to put it into'),
    list('--bundle <pattern>', 'bundles that it may sign'),
    list('--program-type <pattern>', 'program types that it may sign'),
    list('--attach-type <pattern>', 'attach types that it may sign'),
    list('--attach-target <pattern>', 'attach targets that it may sign'),
    list('--allow-helper <pattern>', 'helpers that its programs may call'),
    list('--deny-helper <pattern>', 'helpers that they may not call'),
    list('--allow-kfunc <pattern>', 'kernel functions that its programs may call'),
    list('--deny-kfunc <pattern>', 'kernel functions that they may not call'),
    list('--effect <effect>', 'effects that it may sign: audit, deny, kill'),
  ];
  for (const option of options) command.addOption(option);
  return command;
}

/** The members of a key or identity that these options stand for. */
export function termsOf(options: SignerTermsOptions): Readonly<Record<string, YamlValue>> {
  const { validFrom, validUntil } = options;
  const may = withoutAbsent({
    bundles: options.bundle,
    programTypes: options.programType,
    attachTypes: options.attachType,
    attachTargets: options.attachTarget,
    helpers: callsOf(options.allowHelper, options.denyHelper),
    kfuncs: callsOf(options.allowKfunc, options.denyKfunc),
    effects: options.effect,
  });
  return withoutAbsent({ validFrom, validUntil, may: Object.keys(may).length === 0 ? undefined : may });
}

function callsOf(allow?: readonly string[], deny?: readonly string[]): YamlValue | undefined {
  return allow === undefined && deny === undefined ? undefined : withoutAbsent({ allow, deny });
}

function withoutAbsent(members: Readonly<Record<string, YamlValue | undefined>>): Record<string, YamlValue> {
  return Object.fromEntries(
    Object.entries(members).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

/** The changes that put a signer into its groups. */
export function groupInsertions(id: string, { group = [] }: SignerTermsOptions): readonly Insertion[] {
  return group.map((name) => ({ kind: 'append', path: ['groups', name], value: id }));
}
