import { Option } from 'commander';

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
