import { isIPv6 } from 'node:net';
import { VespidError } from '../../errors/index.js';

/** What `--sink` asks for. */
export type SinkSpec =
  | { readonly kind: 'stdout' }
  | { readonly kind: 'jsonl'; readonly path: string }
  | { readonly kind: 'kafka'; readonly brokers: readonly KafkaBroker[]; readonly topic: string };

export interface KafkaBroker {
  /** Name or address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

const FORMS = 'expected stdout, jsonl:PATH or kafka:HOST:PORT[,HOST:PORT...]/TOPIC';
/** org.apache.kafka.common.internals.Topic: at most 249 of these characters, and not "." or "..". */
const TOPIC = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/;
/** RFC 1123 section 2.1 and the underscore, which container networks use; an IPv4 address fits too. */
const HOST_NAME = /^(?=.{1,253}$)[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,62})(\.[a-zA-Z0-9_][a-zA-Z0-9_-]{0,62})*\.?$/;

/** @throws VespidError SINK_SPEC_INVALID */
export function parseSink(text: string): SinkSpec {
  if (text === 'stdout') return { kind: 'stdout' };
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  switch (colon === -1 ? '' : text.slice(0, colon)) {
    case 'jsonl':
      return parseJsonl(text, rest);
    case 'kafka':
      return parseKafka(text, rest);
    default:
      throw invalid(text, FORMS);
  }
}

function parseJsonl(text: string, path: string): SinkSpec {
  if (path === '' || path.includes('\0')) throw invalid(text, 'jsonl: needs the path of a file');
  return { kind: 'jsonl', path };
}

function parseKafka(text: string, rest: string): SinkSpec {
  const slash = rest.indexOf('/');
  if (slash === -1) throw invalid(text, 'kafka: needs a topic, kafka:HOST:PORT/TOPIC');
  const topic = rest.slice(slash + 1);
  if (!TOPIC.test(topic)) {
    throw invalid(text, `"${topic}" is not a topic: 1 to 249 letters, digits, dots, dashes or underscores`);
  }
  const brokers = rest
    .slice(0, slash)
    .split(',')
    .map((broker) => parseBroker(text, broker));
  return { kind: 'kafka', brokers, topic };
}

function parseBroker(text: string, broker: string): KafkaBroker {
  const colon = broker.lastIndexOf(':');
  const bracketed = broker.slice(0, Math.max(colon, 0));
  const portText = broker.slice(colon + 1);
  const inBrackets = /^\[(.*)\]$/.exec(bracketed)?.[1];
  const host = inBrackets ?? bracketed;
  if (inBrackets === undefined ? !HOST_NAME.test(host) : !isIPv6(host)) {
    throw invalid(text, `"${broker}" is not HOST:PORT; an IPv6 address stands in brackets, [::1]:9092`);
  }
  const port = Number(portText);
  if (!/^\d{1,5}$/.test(portText) || port < 1 || port > 65_535) {
    throw invalid(text, `"${portText}" is not a port: 1 to 65535`);
  }
  return { host, port };
}

/** `127.0.0.1:9092`, `[::1]:9092` */
export function brokerText({ host, port }: KafkaBroker): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function invalid(text: string, why: string): VespidError {
  return new VespidError('SINK_SPEC_INVALID', `sink "${text}": ${why}`, {
    hint: 'for example --sink jsonl:events.jsonl or --sink kafka:127.0.0.1:9092/vespid-events',
  });
}
