// What ends a command that follows something: a signal, or a stdout that nobody reads any more.

import type { CliContext, CliSignal } from "../cli-context.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";

/** The end of a stream. */
export interface StreamEnd {
  readonly signal: AbortSignal;
  /** 130 or 143 after a signal, else 0. */
  exitCode(): ExitCode;
  /** Gives signals and stream back. */
  close(): void;
}

/** Listens until it is closed. */
export function listenForEnd(context: Pick<CliContext, "onSignal" | "stdout">): StreamEnd {
  const end = new AbortController();
  let code: ExitCode = EXIT.ok;
  const hear = (signal: CliSignal): (() => void) =>
    context.onSignal(signal, () => {
      code = signal === "SIGINT" ? EXIT.interrupted : EXIT.terminated;
      end.abort();
    });
  const release = [hear("SIGINT"), hear("SIGTERM")];
  const stop = (): void => end.abort();
  for (const name of ["error", "close"] as const) {
    context.stdout.on(name, stop);
    release.push(() => context.stdout.off(name, stop));
  }
  return {
    signal: end.signal,
    exitCode: () => code,
    close: () => release.forEach((off) => off()),
  };
}
