// What every command is given instead of reaching for `process`: streams, environment, folder, time, dice,
// signals and the flags that all verbs share. A command is a module with one function, loaded only when its
// verb is asked for; it parses nothing (main.ts has done that), calls the service, renders, and answers with
// an exit code. It never throws for an expected ending; what it throws is printed by render-error.ts.

import type { Clock } from "../std/clock.ts";
import type { Json } from "../std/json.ts";
import type { Random } from "../std/random.ts";

/** Where text goes. `process.stdout`, or a PassThrough in tests. */
export interface OutStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
}

/** Where text comes from. `process.stdin`, or a PassThrough in tests. */
export interface InStream extends NodeJS.ReadableStream {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
}

/** Signals a command may answer. */
export type CliSignal = "SIGINT" | "SIGTERM";

/** Form of stderr while something runs. */
export type LogForm = "auto" | "live" | "lines" | "json" | "agent" | "quiet";

/** The flags every verb has, checked. Undefined: not given on the command line. */
export interface CommonFlags {
  readonly store: string | undefined;
  /** As given; a relative path counts from `cwd`. */
  readonly config: string | undefined;
  /** Exactly one document on stdout; errors too. */
  readonly json: boolean;
  /** From `--log`, else `MILLRACE_LOG`, else `auto`. */
  readonly log: LogForm;
  readonly color: "auto" | "always" | "never";
  readonly ascii: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly logFile: string | undefined;
}

/** Everything a command may touch. */
export interface CliContext {
  readonly stdout: OutStream;
  readonly stderr: OutStream;
  /** Opened by the first call: most verbs read nothing, and opening loads modules of Node. */
  readonly stdin: () => InStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly flags: CommonFlags;
  /** Hands a value to the process that started this one, past every stream. Absent: that one asked for none. */
  readonly tellParent?: (message: Json) => Promise<void>;
  /** Calls back at each such signal until the returned function is called; while anyone listens, the
   *  signal's own effect is off. */
  onSignal(signal: CliSignal, listener: () => void): () => void;
}

/** One value of a verb's own flag: text as given, true for a switch, a list where it may be repeated. */
export type FlagValue = string | boolean | readonly string[];

/** The verb's own flags by their long name in camelCase (`--only-failed` is `onlyFailed`). Absent: not given. */
export type ParsedOptions = Readonly<Record<string, FlagValue | undefined>>;

/** What a file of `commands/` exports. */
export interface CommandModule {
  /** Does the verb. `args` are its arguments, flags removed. Resolves to the exit code. */
  readonly run: (
    context: CliContext,
    options: ParsedOptions,
    args: readonly string[],
  ) => Promise<number>;
}
