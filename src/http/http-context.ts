// What the routes share: the open mill, what the server knows of itself, and its clock.

import type { Access } from "../service/access/access.ts";
import type { EventBus } from "../service/feed/event-bus.ts";
import type { Millrace } from "../service/millrace.ts";
import type { Clock } from "../std/clock.ts";

/** The server from inside. */
export interface HttpContext {
  readonly mill: Millrace;
  /** Live events of the store, this process's and those of others. */
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly access: Access;
  /** Prefix of every path, without a slash at its end; empty: none. */
  readonly basePath: string;
  /** Whether it is reached by TLS, its own or that of a proxy before it. */
  readonly isSecure: boolean;
  /** Of this millrace. */
  readonly version: string;
  /** UTC ms. */
  readonly startedAtMs: number;
  /** True from the beginning of a shutdown on: not ready any more. */
  isStopping(): boolean;
  /** Aborted when open streams and sockets have to end. */
  readonly stopSignal: AbortSignal;
}
