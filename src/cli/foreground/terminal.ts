// What the live form needs of the process beyond streams: size changes, suspension, signals to itself, and a
// word before it dies. Beside main.ts the only file that touches the process.

import type { CliContext, OutStream } from "../cli-context.ts";
import type { LiveOptions } from "../render/forms/live-form.ts";

/** The terminal that stderr is. */
export type Terminal = Pick<
  LiveOptions,
  "size" | "isReflowing" | "onResize" | "raise" | "onContinue"
>;

/** The terminal behind this command's stderr. */
export function openTerminal(context: Pick<CliContext, "stderr" | "env">): Terminal {
  const { stderr, env } = context;
  return {
    size: () => ({ columns: stderr.columns ?? 0, rows: stderr.rows ?? 0 }),
    isReflowing: isReflowing(env),
    onResize: (listener) => listen(stderr, "resize", listener),
    onContinue: (listener) => {
      process.on("SIGCONT", listener);
      return () => {
        process.off("SIGCONT", listener);
      };
    },
    raise: (signal) => {
      process.kill(process.pid, signal);
    },
  };
}

/**
 * Calls back before the process dies of an error that nobody caught, ahead of whoever reports it, and when it
 * exits without having been asked to wait. Until the returned function is called.
 */
export function onSuddenEnd(listener: () => void): () => void {
  process.prependListener("uncaughtException", listener);
  process.on("exit", listener);
  return () => {
    process.off("uncaughtException", listener);
    process.off("exit", listener);
  };
}

/** Ends this process as the signal does by itself, now that nobody answers it any more. */
export function dieOf(signal: "SIGINT" | "SIGTERM"): void {
  process.kill(process.pid, signal);
}

/**
 * Whether the terminal wraps lines that a narrower window no longer holds. Nearly all do; these cut them, and
 * taking them for the others would erase lines above the block.
 */
function isReflowing(env: Readonly<Record<string, string | undefined>>): boolean {
  const { TERM = "", XTERM_VERSION, STY } = env;
  const isScreen = STY !== undefined && STY !== "";
  return XTERM_VERSION === undefined && !isScreen && !/^(?:linux|vt\d|st|eterm)/.test(TERM);
}

function listen(stream: OutStream, event: string, listener: () => void): () => void {
  stream.on(event, listener);
  return () => {
    stream.off(event, listener);
  };
}
