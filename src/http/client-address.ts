// The address a request comes from, as far as bad tokens are counted by it. Behind a proxy it is what the proxy says
// of whoever asked it; what stands before that in the header, anybody may have written.

import { isIPv6 } from "node:net";

/** The address, cut to what one client has for itself: of IPv6 its first four groups. */
export function toClientAddress(
  connection: string,
  forwardedFor: string | null,
  behindProxy: boolean,
): string {
  const last = forwardedFor?.split(",").at(-1)?.trim() ?? "";
  return normalise(behindProxy && last !== "" ? last : connection);
}

function normalise(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "").slice(0, 64);
  if (!isIPv6(plain)) return plain;
  const [head = "", tail = ""] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const missing = plain.includes("::") ? 8 - groups.length - tail.split(":").length : 0;
  return [...groups, ...Array.from({ length: Math.max(0, missing) }, () => "0")]
    .slice(0, 4)
    .join(":");
}
