// The key under which calls to one host share a limit: what the other side would count as itself, and nothing of
// who calls, with which password, or for what.

import { MillraceError } from "../model/errors.ts";

/** Characters of an address that an error repeats: enough to find it, too few to fill a log. */
const ADDRESS_CHARS_SHOWN = 100;

/**
 * Host and port of an address, as a key: in lower case, without credentials, path or query. The port is left out
 * where it is the default of the scheme, so that `http://x` and `https://x` share a key. OPTION_INVALID where the
 * address is no absolute URL or names no host.
 */
export function hostKey(url: string | URL): string {
  const parsed = typeof url === "string" ? parse(url) : url;
  // Schemes the platform has no rules for keep the case of their hosts; a trailing dot names the same host.
  const host = parsed.hostname.toLowerCase().replace(/\.$/, "");
  if (host === "") throw invalid(parsed.href, "an address with a host");
  return parsed.port === "" ? host : `${host}:${parsed.port}`;
}

function parse(text: string): URL {
  const parsed = URL.parse(text);
  if (parsed === null) throw invalid(text, "an absolute address");
  return parsed;
}

function invalid(address: string, expected: string): MillraceError {
  const shown = withoutCredentials(address).slice(0, ADDRESS_CHARS_SHOWN);
  return new MillraceError("OPTION_INVALID", `No host key: expected ${expected}, got "${shown}".`, {
    hint: "Give the scheme and the host, as in https://example.com/path.",
  });
}

/** Errors are logged, and what stands before an @ may be a password. */
function withoutCredentials(address: string): string {
  return address.replace(/^.*@/s, "***@");
}
