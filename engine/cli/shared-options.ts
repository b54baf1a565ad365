import { Option } from 'commander';
import { DEFAULT_STATE_FILE } from '../trust/index.js';

/** Options that mean the same wherever they stand. */

export function jsonOption(): Option {
  return new Option('--json', 'print the result, or the error, as one line of JSON');
}

export function verboseOption(): Option {
  return new Option('--verbose', "on failure also print the log: the kernel verifier's, or a stack trace");
}

export function trustOption(): Option {
  return new Option('--trust <file>', 'trust policy: whose signatures count').makeOptionMandatory();
}

/** How an encrypted key is opened; by the same names wherever a key is used. */
export function passphraseOptions(): Option[] {
  return [
    new Option('--passphrase-file <file>', 'passphrase of encrypted keys: the only line of this file'),
    new Option('--passphrase-env <var>', 'environment variable that holds it (default: VESPID_PASSPHRASE)'),
  ];
}

export function plainHttpOption(): Option {
  return new Option(
    '--plain-http',
    'speak http, not https, with the registry (always done with loopback hosts)',
  );
}

/** For commands that change the memory of the node. */
export function stateOption(): Option {
  return new Option('--state <file>', "the node's memory").default(DEFAULT_STATE_FILE);
}

/** For commands that only look: what the node would refuse to go back from is refused, nothing is recorded. */
export function checkedStateOption(): Option {
  return new Option('--state <file>', "also refuse what is older than in this file, a node's memory");
}

export function rootOption(): Option {
  return new Option(
    '--root <key>',
    'root key (key id or .pub file) that must have signed the first trust policy; as often as wanted',
  ).argParser((key: string, earlier: readonly string[] | undefined) => [...(earlier ?? []), key]);
}
