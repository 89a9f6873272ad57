// What keeps pages of other origins out: the Host a request is for, the Origin it comes from, and for whoever is known
// by a cookie, or by nothing, a header that no foreign page can send.

import { MillraceError } from "../../model/errors.ts";
import type { Caller } from "../route.ts";

/** Whose requests are answered. */
export interface OriginTerms {
  /** `host:port` in lower case, as a Host header says it. Null: any name of this machine, with any port. */
  readonly hosts: ReadonlySet<string> | null;
  /** Whether it is reached by TLS: then origins are `https:`. */
  readonly isSecure: boolean;
}

/** The header that says: this was no form and no link. */
const OWN_HEADER = "x-millrace";

/** FORBIDDEN unless the Host is one of those that are configured. No detail: whoever asks wrongly learns nothing. */
export function checkHost(host: string | undefined, { hosts }: OriginTerms): void {
  const given = (host ?? "").toLowerCase();
  const isKnown = hosts === null ? IS_LOCAL.test(given) : hosts.has(given);
  if (!isKnown) throw new MillraceError("FORBIDDEN", "Refused.");
}

/**
 * FORBIDDEN for what a foreign page may have sent: a cookie's request that says it comes from another site, and an
 * unsafe one without bearer token that has not both our header and an origin of ours.
 */
export function checkOrigin(request: Request, caller: Caller | null, terms: OriginTerms): void {
  if (caller?.via === "bearer") return;
  const site = request.headers.get("sec-fetch-site");
  if (site === "cross-site" || site === "same-site") throw foreign();
  if (SAFE_METHODS.has(request.method)) return;
  if (request.headers.get(OWN_HEADER) !== "1") throw foreign();
  const origin = request.headers.get("origin");
  const isOurs = origin === null ? site === "same-origin" : isAllowedOrigin(origin, terms);
  if (!isOurs) throw foreign();
}

/** Whether a page of this origin is one of ours. `null` is nobody's. */
export function isAllowedOrigin(origin: string, { hosts, isSecure }: OriginTerms): boolean {
  const scheme = isSecure ? "https://" : "http://";
  if (!origin.startsWith(scheme)) return false;
  const host = origin.slice(scheme.length);
  return hosts === null ? IS_LOCAL.test(host) : hosts.has(host);
}

const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** The names that a machine has for itself. */
const IS_LOCAL = /^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d{1,5})?$/;

function foreign(): MillraceError {
  return new MillraceError("FORBIDDEN", "A page of another origin may not ask this.", {
    hint: `send a bearer token, or the header ${OWN_HEADER}: 1 from a page of this server`,
  });
}
