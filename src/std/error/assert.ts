// Invariants: what must hold unless the program itself is wrong. Assertions stay on in production, and
// nobody catches an InvariantError to go on as if nothing had happened. Faults of the world or of a
// caller are not invariants; they have errors of their own.

/** The program broke one of its own promises. Carries no code: nothing may decide by it. */
export class InvariantError extends Error {
  override readonly name: string = "InvariantError";
}

/** Throws an InvariantError with `message` unless `condition` is truthy. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Ends an exhaustive switch: does not compile while a case is missing, and throws if one slips in. */
export function unreachable(value: never): never {
  throw new InvariantError(`No case handles the value "${String(value)}".`);
}
