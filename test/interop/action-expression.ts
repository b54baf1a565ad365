/** The contexts of GitHub's expressions that a composite action of ours may use. */
export interface ExpressionContext {
  readonly inputs: Readonly<Record<string, string>>;
  /** Outputs by the id of their step; a step that was skipped has none. */
  readonly steps: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** What else a workflow may name, by its whole name: `github.ref_name`, `secrets.KEY`. */
  readonly values?: Readonly<Record<string, string>>;
}

/**
 * Evaluates the part of GitHub's expression language that is needed: `inputs.a`, `steps.a.outputs.b`, `'text'`,
 * `==`, `!=`, `&&`. Anything else is an error, so that no test passes by a guess.
 */
export function evaluateExpression(source: string, context: ExpressionContext): string | boolean {
  const conjuncts = source.split('&&').map((part) => evaluateComparison(part.trim(), context));
  const [only] = conjuncts;
  if (conjuncts.length === 1 && only !== undefined) return only;
  return conjuncts.every((value) => value === true);
}

function evaluateComparison(source: string, context: ExpressionContext): string | boolean {
  const [left = '', operator, right = ''] = source.split(/\s*([!=]=)\s*/);
  if (operator === undefined) return evaluateOperand(left, context);
  const areEqual = evaluateOperand(left, context) === evaluateOperand(right, context);
  return operator === '==' ? areEqual : !areEqual;
}

function evaluateOperand(source: string, { inputs, steps, values = {} }: ExpressionContext): string {
  const [, literal] = /^'([^']*)'$/.exec(source) ?? [];
  if (literal !== undefined) return literal;
  const [, input] = /^inputs\.([a-z-]+)$/.exec(source) ?? [];
  if (input !== undefined && input in inputs) return inputs[input] ?? '';
  const [, step, output] = /^steps\.([a-z-]+)\.outputs\.([a-z-]+)$/.exec(source) ?? [];
  if (step !== undefined && output !== undefined) return steps[step]?.[output] ?? '';
  if (source in values) return values[source] ?? '';
  throw new Error(`not an expression that the interpreter knows: ${source}`);
}

/** Text with `${{ expressions }}` in it. */
export function interpolate(text: string, context: ExpressionContext): string {
  return text.replace(/\$\{\{(.*?)\}\}/gs, (_all, source: string) =>
    String(evaluateExpression(source.trim(), context)),
  );
}
