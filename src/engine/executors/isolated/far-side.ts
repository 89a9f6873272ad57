// The other end of an attempt that is made apart from its worker, in a process or in a thread: what is said to it,
// how it is ended, and what it means when it ends without a result.

import { isRecord } from "../../../std/record.ts";
import type { IsolatedCall, Order, Report } from "./protocol.ts";

/** Where one attempt is made. */
export interface FarSide {
  /** To one that is gone it goes nowhere. */
  tell(order: Exclude<Order, { readonly kind: "call" }>): void;
  /** Ends it, whatever it is doing. */
  kill(): void;
  /** It has said how the attempt ended, and is not needed any more. */
  finish(): void;
  /** Resolves when nothing of the attempt works any more, with what it died of; null: it ended by itself. Never
   *  rejects. */
  readonly over: Promise<IsolatedCrash | null>;
  /** The last lines that it printed, where they are kept. */
  tail(stream: "stdout" | "stderr"): readonly string[];
}

/** What a child process or a thread used, as far as it was measured. */
export interface ProcessUsage {
  readonly cpuMs: number | null;
  readonly peakBytes: number | null;
}

/** A far side that measures. */
export interface ThreadSide extends FarSide {
  /** What the attempt has used; null before its code was called. */
  readonly usage: ProcessUsage | null;
}

/** What a thread is told of one attempt. */
export interface ThreadTask {
  readonly call: IsolatedCall;
  /** Modules that the thread imports first, once. */
  readonly imports: readonly string[];
}

/** Worker threads. */
export interface Threads {
  /** Resolves when threads can be had, none of which is started yet. */
  open(): Promise<ThreadStarter>;
}

/** What makes attempts in threads. */
export interface ThreadStarter {
  /** Makes an attempt in the next thread that is free; what it says goes to `hear`. */
  start(task: ThreadTask, hear: (report: Report) => void): ThreadSide;
}

/** Makes the far side of a call; what it says goes to `hear`. */
export type OpenFarSide = (hear: (report: Report) => void) => FarSide;

/** A process or thread that died with its attempt. */
export class IsolatedCrash extends Error {
  readonly millraceClass = "crash" as const;
  readonly code: string;
  readonly place: "process" | "thread";

  /** @param place What died. */
  constructor(
    place: "process" | "thread",
    { message, code, cause }: { message: string; code: string; cause?: unknown },
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "IsolatedCrash";
    this.place = place;
    this.code = code;
  }
}

/** True for what died with its attempt, also where another copy of the package tells of it. */
export function isCrash(error: unknown): error is IsolatedCrash {
  return isRecord(error) && error["name"] === "IsolatedCrash";
}

/** The stage cannot be called there. */
export class Unavailable extends Error {}
