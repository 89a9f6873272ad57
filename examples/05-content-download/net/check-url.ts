// Whether an address may be asked at all, as far as its text tells: scheme, credentials, and hosts that name no
// public place. What a name resolves to is checked where the connection is made (`pinned-connect.ts`).
import { isIP } from "node:net";
import { PermanentError } from "millrace";
import { findAddressFault } from "./unsafe-address.ts";

/** An address that is refused. Another attempt would change nothing. */
export class UnsafeUrlError extends PermanentError {
  /** In a word: `scheme`, `credentials`, `loopback`, `private` ... */
  readonly reason: string;

  constructor(message: string, reason: string) {
    super(message);
    this.name = "UnsafeUrlError";
    this.reason = reason;
  }
}

/** Names that never mean a public host; `.test` is for tests, and allowed where a server stands in for it. */
const LOCAL_NAMES = ["localhost", "local", "internal", "home.arpa", "invalid", "onion"];

/**
 * The address as a URL, or an UnsafeUrlError that says why not. `base` makes a relative address absolute. Hosts
 * under `.test` pass only with `testNames`.
 */
export function checkUrl(
  address: string,
  options: { readonly base?: string; readonly testNames?: boolean } = {},
): URL {
  const url = URL.parse(address, options.base);
  if (url === null) throw refuse(address, "syntax", "it is no address");
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw refuse(address, "scheme", `expected http or https, got "${url.protocol.slice(0, -1)}"`);
  }
  if (url.username !== "" || url.password !== "") {
    throw refuse(url.host + url.pathname, "credentials", "it carries a name or password");
  }
  const fault = findHostFault(url.hostname, options.testNames ?? false);
  if (fault !== undefined) throw refuse(address, fault, `its host is ${fault}`);
  return url;
}

/** True for a host under `.test`. */
export function isTestName(hostname: string): boolean {
  return /(?:^|\.)test\.?$/.test(hostname);
}

/** The parser of URLs has made numbers in any notation plain by now: 127.1 and 0x7f000001 are 127.0.0.1. */
function findHostFault(hostname: string, testNames: boolean): string | undefined {
  const address = hostname.replace(/^\[|\]$/g, "");
  if (isIP(address) !== 0) return findAddressFault(address);
  const name = hostname.replace(/\.$/, "");
  if (LOCAL_NAMES.some((local) => name === local || name.endsWith(`.${local}`))) return "local";
  if (isTestName(name)) return testNames ? undefined : "reserved";
  return name.includes(".") ? undefined : "local";
}

function refuse(address: string, reason: string, why: string): UnsafeUrlError {
  return new UnsafeUrlError(`"${address}" is not asked: ${why}.`, reason);
}
