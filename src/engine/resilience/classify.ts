// What kind of failure an error is, for callers without a pipeline: the table that stages are judged by.

import type { ErrorClass } from "../../model/outcome.ts";
import { classifyError } from "../../policy/classify/classify.ts";
import type { ClassifyHook } from "../../policy/classify/classify-hook.ts";
import type { RetryVerdict } from "../../policy/classify/error-table.ts";
import { systemClock, type Clock } from "../../std/clock.ts";

/** What is known about a failure. */
export interface ErrorVerdict {
  readonly class: ErrorClass;
  /** The code that told, else the first in the error: `ECONNRESET`, `HTTP 502`, `gRPC ABORTED`, `exit 3`. */
  readonly code?: string;
  /** `yes`, `no`, `once`, or `defer`: again, without its being counted as an attempt. */
  readonly retry: RetryVerdict;
  /** How long the other side asks to wait, ms. */
  readonly hintMs?: number;
}

/** How to judge. */
export interface ClassifyOptions {
  /** Names a class of what only you know, before codes are looked at; undefined leaves it to the table. */
  readonly classify?: ClassifyHook;
  /** Default: the machine's. Serves a Retry-After date without a Date header beside it. */
  readonly clock?: Pick<Clock, "wallMs">;
}

/** Classifies whatever was thrown; never throws. */
export function classify(error: unknown, options: ClassifyOptions = {}): ErrorVerdict {
  const { clock = systemClock } = options;
  const found = classifyError(error, options.classify, clock.wallMs());
  return {
    class: found.class,
    retry: found.retry,
    ...(found.code === undefined ? {} : { code: found.code }),
    ...(found.hintMs === undefined ? {} : { hintMs: found.hintMs }),
  };
}
