// Builds an error again from its parts, in the class that JavaScript has for its name.

/** The parts of an error. A part that is absent stays absent on the error, so that none is invented. */
export interface ErrorParts {
  readonly name: string;
  readonly message: string;
  /** Default: the stack of this call is removed, since it would mislead. */
  readonly stack?: string;
  readonly cause?: unknown;
  /** What an AggregateError gathers. */
  readonly errors?: unknown;
}

const BUILT_IN: ReadonlyMap<string, () => Error> = new Map<string, () => Error>([
  ["EvalError", () => new EvalError()],
  ["RangeError", () => new RangeError()],
  ["ReferenceError", () => new ReferenceError()],
  ["SyntaxError", () => new SyntaxError()],
  ["TypeError", () => new TypeError()],
  ["URIError", () => new URIError()],
  ["AggregateError", () => new AggregateError([])],
]);

/** An error of JavaScript's own class for that name, else a plain Error that bears the name. */
export function makeNamedError(parts: ErrorParts): Error {
  const error = BUILT_IN.get(parts.name)?.() ?? new Error();
  if (error.name !== parts.name) hide(error, "name", parts.name);
  hide(error, "message", parts.message);
  hide(error, "stack", parts.stack ?? `${parts.name}: ${parts.message}`);
  if ("cause" in parts) hide(error, "cause", parts.cause);
  if ("errors" in parts) hide(error, "errors", parts.errors);
  return error;
}

/** Sets a field the way the built-in classes do: there, but not enumerated. */
function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, {
    value,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}
