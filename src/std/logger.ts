// The logger port. Whoever is handed one may speak; nobody in the house prints by itself.

/** Named values that go with a line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Takes lines at four levels. Never throws, never waits. */
export interface Logger {
  /** For the person who debugs the program. */
  debug(message: string, fields?: LogFields): void;
  /** What happened, for the person who runs it. */
  info(message: string, fields?: LogFields): void;
  /** Something is odd, and was dealt with. */
  warn(message: string, fields?: LogFields): void;
  /** Something failed, and a person should look. */
  error(message: string, fields?: LogFields): void;
}

function say(): void {}

/** Says nothing: the default everywhere. */
export const silentLogger: Logger = { debug: say, info: say, warn: say, error: say };
