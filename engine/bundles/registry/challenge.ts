/** What a registry asks for with status 401: RFC 9110 section 11.6.1, RFC 6750 section 3, distribution's token spec. */
export type Challenge =
  | { readonly scheme: 'basic' }
  | {
      readonly scheme: 'bearer';
      /** Address of the token server. */
      readonly realm: string;
      readonly service: string | undefined;
      readonly scope: string | undefined;
    };

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
/** `name=value` or `name="quoted"`; the quoted form may escape with a backslash. */
const PARAMETER = new RegExp(`\\s*(${TOKEN})\\s*=\\s*(?:(${TOKEN})|"((?:[^"\\\\]|\\\\.)*)")\\s*`, 'y');
const SCHEME = new RegExp(`\\s*(${TOKEN})(?:\\s+|$)`, 'y');
/** No registry says more; the patterns below never run over a long hostile text. */
const MAX_CHALLENGE_LENGTH = 4096;

/**
 * Reads a `WWW-Authenticate` header. Of several challenges the bearer one is taken, because its token is worth
 * less than the password that a basic one asks for. Schemes that we do not know are passed over.
 */
export function parseChallenge(header: string): Challenge | undefined {
  if (header.length > MAX_CHALLENGE_LENGTH) return undefined;
  const challenges = splitChallenges(header);
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer')?.parameters;
  const realm = bearer?.get('realm');
  if (bearer !== undefined && realm !== undefined) {
    return { scheme: 'bearer', realm, service: bearer.get('service'), scope: bearer.get('scope') };
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined;
}

interface RawChallenge {
  readonly scheme: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Both challenges and their parameters are parted by commas; what has a "=" is a parameter. */
function splitChallenges(header: string): readonly RawChallenge[] {
  const challenges: RawChallenge[] = [];
  let offset = 0;
  let parameters = new Map<string, string>();
  while (offset < header.length) {
    const parameter = matchAt(PARAMETER, header, offset);
    const scheme = parameter === undefined ? matchAt(SCHEME, header, offset) : undefined;
    const [whole = ',', name = ''] = parameter ?? scheme ?? [];
    if (parameter !== undefined) {
      const [, , plain, quoted = ''] = parameter;
      parameters.set(name.toLowerCase(), plain ?? quoted.replaceAll(/\\(.)/g, '$1'));
    } else if (scheme !== undefined) {
      parameters = new Map();
      challenges.push({ scheme: name.toLowerCase(), parameters });
    }
    offset += whole.length;
  }
  return challenges;
}

function matchAt(pattern: RegExp, text: string, offset: number): RegExpExecArray | undefined {
  pattern.lastIndex = offset;
  return pattern.exec(text) ?? undefined;
}
