import { createHash } from 'node:crypto';
import type { Invocation, Location, Log, LogicalLocation, Notification, Result } from 'sarif';
import type { VespidError } from '../../errors/index.js';
import { artifactUri } from './artifact-uri.js';
import type { FailedVerdict, JudgedBundle } from './judged-bundle.js';
import { sarifRules } from './sarif-rules.js';

const SCHEMA_URI = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json';
/** automationDetails.id: the class of a run, so that an upload does not close the alerts of another tool. */
const RUN_CATEGORY = 'vespid-verify/';
/** Code scanning shows no result without a line, and a bundle has none. */
const WHOLE_FILE = { startLine: 1 };

export interface SarifContext {
  /** Version of Vespid, as in its package. */
  readonly version: string;
  /** Absolute path that relative URIs start from: the root of the checkout. */
  readonly directory: string;
}

/**
 * A SARIF 2.1.0 log of one run of `vespid verify`.
 *
 * A result is what somebody has to mend in a file: each refused bundle, and each fault that has a place in a trust
 * policy. Anything else that kept a bundle from being judged, a registry that does not answer for example, is a
 * notification of the tool and makes the run unsuccessful: no verdict must not look like a good one.
 *
 * @param bundles every bundle of the call; when all were accepted the log has no result, which closes old alerts
 */
export function renderSarif(bundles: readonly JudgedBundle[], context: SarifContext): Log {
  const failures = bundles.filter((bundle) => bundle.outcome !== 'accepted');
  const isResult = ({ outcome, error }: FailedVerdict) =>
    outcome === 'refused' || error.location !== undefined;
  const faults = distinctByPlace(failures.filter(isResult));
  const rules = sarifRules(faults.map(({ error }) => error.code));
  const ruleIndexes = new Map(rules.map(({ id }, index) => [id, index]));
  const notifications = failures.filter((verdict) => !isResult(verdict)).map(toNotification(context));
  return {
    $schema: SCHEMA_URI,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Vespid', version: context.version, rules } },
        automationDetails: { id: RUN_CATEGORY },
        invocations: [invocation(failures, notifications)],
        // As in every location of ours; see SourceLocation.
        columnKind: 'utf16CodeUnits',
        results: faults.map((verdict) => ({
          ...toResult(verdict, context),
          ruleIndex: ruleIndexes.get(verdict.error.code) ?? -1,
        })),
      },
    ],
  };
}

/** A fault of the trust policy is one fault, however many bundles it kept from being judged. */
function distinctByPlace(verdicts: readonly FailedVerdict[]): readonly FailedVerdict[] {
  const keyOf = ({ source, error: { code, location } }: FailedVerdict) =>
    JSON.stringify([code, location === undefined ? source : [location.file, location.line, location.column]]);
  return [...new Map(verdicts.map((verdict) => [keyOf(verdict), verdict])).values()];
}

function invocation(
  failures: readonly FailedVerdict[],
  toolExecutionNotifications: Notification[],
): Invocation {
  return {
    // A refusal is what the tool is for; to judge nothing is its own failure.
    executionSuccessful: failures.every(({ outcome }) => outcome === 'refused'),
    ...(toolExecutionNotifications.length === 0 ? {} : { toolExecutionNotifications }),
  };
}

function toResult(verdict: FailedVerdict, context: SarifContext): Result {
  const { source, error, subjects } = verdict;
  const fingerprint = fingerprintOf(verdict, context);
  return {
    ruleId: error.code,
    kind: 'fail',
    level: 'error',
    message: { text: messageOf(error) },
    locations: [placeOf(verdict, context)],
    // GitHub compares the first; section 3.27.17 of SARIF asks for a name with a version.
    partialFingerprints: { primaryLocationLineHash: fingerprint, 'vespidRefusal/v1': fingerprint },
    properties: { bundle: source, subjects: [...subjects], details: { ...error.details } },
  };
}

function toNotification(context: SarifContext) {
  return (verdict: FailedVerdict): Notification => ({
    descriptor: { id: verdict.error.code },
    level: 'error',
    message: { text: messageOf(verdict.error) },
    locations: [placeOf(verdict, context)],
  });
}

/** Readers that lack space show the first sentence alone. */
function messageOf({ message, hint }: VespidError): string {
  return hint === undefined ? `${message}.` : `${message}. What to do: ${hint}.`;
}

function placeOf({ source, error: { location }, subjects }: FailedVerdict, context: SarifContext): Location {
  const artifactLocation = artifactUri(location?.file ?? source, context.directory);
  const region =
    location === undefined ? WHOLE_FILE : { startLine: location.line, startColumn: location.column };
  return {
    physicalLocation: { artifactLocation, region },
    ...(subjects.length === 0 ? {} : { logicalLocations: subjects.map(logicalLocationOf) }),
  };
}

function logicalLocationOf(subject: string): LogicalLocation {
  const [kind = '', ...name] = subject.split(' ');
  return { fullyQualifiedName: name.join(' '), kind: kind === 'program' ? 'function' : 'resource' };
}

/** The same for the same fault of the same bundle, also after the bundle was built anew: no digest, no message. */
function fingerprintOf({ source, error, subjects }: FailedVerdict, context: SarifContext): string {
  const { uri } = artifactUri(error.location?.file ?? source, context.directory);
  return createHash('sha256')
    .update(JSON.stringify([uri, error.code, ...subjects]))
    .digest('hex');
}
