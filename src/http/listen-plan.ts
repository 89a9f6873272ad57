// Where the server listens and under which names it answers. Loopback, both kinds, unless something else is asked for;
// what other machines can reach needs TLS, or a proxy that has it, and names that are listed.

import { isIP } from "node:net";
import { SERVER_PORT_DEFAULT } from "../model/defaults.ts";
import { MillraceError } from "../model/errors.ts";

/** Where to listen. */
export interface ListenOptions {
  /** Address or name. Anything but loopback needs `tls` or `behindProxy`. Default: 127.0.0.1 and ::1. */
  readonly host?: string;
  /** 1 to 65535; 0: any that is free. Default 4400. */
  readonly port?: number;
  /** Path of a Unix socket, instead of host and port. Only its owner can use it. */
  readonly socketPath?: string;
  /** Certificate and key as PEM. Default: no TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** A proxy before it ends TLS, and says in `X-Forwarded-For` who asks. Default false. */
  readonly behindProxy?: boolean;
  /** Names it answers to besides its own, as a Host header says them: `millrace.example.org`, `ci:8443`. */
  readonly hosts?: readonly string[];
}

/** What comes of it. */
export interface ListenPlan {
  /** One server each; the second may be missing on machines without it. */
  readonly addresses: readonly string[];
  readonly port: number;
  /** For people: the host of the address that is shown. */
  readonly shownHost: string;
  /** Reached by TLS, its own or the proxy's. */
  readonly isSecure: boolean;
  /** What a Host header may say, once the port is known. */
  hostsAt(port: number): ReadonlySet<string>;
}

/** Plans it. SERVER_UNSAFE, OPTION_INVALID. */
export function planListen(options: ListenOptions): ListenPlan {
  const { host, port = SERVER_PORT_DEFAULT, tls, behindProxy = false, hosts = [] } = options;
  checkPort(port);
  const isSecure = tls !== undefined || behindProxy;
  const isLocal = host === undefined || isLoopback(host);
  if (!isLocal && !isSecure) throw unsafe(host);
  if (!isLocal && ANY_ADDRESS.has(host) && hosts.length === 0) throw nameless(host);
  for (const name of hosts) checkName(name);
  // Bound to every address it is on loopback too, where probes of its own machine ask.
  const own = isLocal || ANY_ADDRESS.has(host) ? LOOPBACK_NAMES : [bracketed(host)];
  return {
    addresses: host === undefined || host === "localhost" ? LOOPBACK_ADDRESSES : [host],
    port,
    shownHost: isLocal || ANY_ADDRESS.has(host) ? "127.0.0.1" : bracketed(host),
    isSecure,
    hostsAt: (boundPort) => {
      const usual = tls === undefined ? 80 : 443;
      // A Unix socket has no port, and its clients write the name alone.
      const bare = boundPort === usual || options.socketPath !== undefined ? own : [];
      const names = [...own.map((name) => `${name}:${boundPort}`), ...bare, ...hosts];
      return new Set(names.map((name) => name.toLowerCase()));
    },
  };
}

/** Whether only this machine can reach it. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

const LOOPBACK_ADDRESSES: readonly string[] = ["127.0.0.1", "::1"];
const LOOPBACK_NAMES: readonly string[] = ["127.0.0.1", "[::1]", "localhost"];
const ANY_ADDRESS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}

function checkPort(port: number): void {
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return;
  throw new MillraceError("OPTION_INVALID", `There is no port ${port}.`, { hint: "0 to 65535" });
}

/** A host with or without port, as browsers write it. */
function checkName(name: string): void {
  if (/^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i.test(name)) return;
  throw new MillraceError("OPTION_INVALID", `"${name}" is no host of an address.`, {
    hint: "like millrace.example.org, or ci.example.org:8443; no scheme, no path, no wildcard",
  });
}

function unsafe(host: string): MillraceError {
  return new MillraceError(
    "SERVER_UNSAFE",
    `Other machines can reach "${host}", and tokens would pass unprotected.`,
    {
      hint: "give a TLS certificate and key, or say --behind-proxy where a proxy with TLS stands before it",
      next: "npx millrace serve",
      details: { host },
    },
  );
}

function nameless(host: string): MillraceError {
  return new MillraceError(
    "SERVER_UNSAFE",
    `Bound to "${host}" the server has no name of its own, so it cannot know requests meant for it.`,
    { hint: "list its names in server.hosts of the configuration", details: { host } },
  );
}
