// Which addresses of the network are everybody's: all but those of this machine, of private networks, of links, of
// other uses that the registries reserve, and of ways to wrap one of these. What is not known to be public is not.

import { BlockList, isIP } from "node:net";

/** Reserved by the registries of special addresses (RFC 6890 and its successors). */
const RESERVED_IPV4: readonly (readonly [address: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Within what is global (2000::/3): tunnels and translations, which may lead anywhere, and documentation. */
const RESERVED_IPV6: readonly (readonly [address: string, bits: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const reserved = new BlockList();
for (const [address, bits] of RESERVED_IPV4) reserved.addSubnet(address, bits, "ipv4");
for (const [address, bits] of RESERVED_IPV6) reserved.addSubnet(address, bits, "ipv6");

const global = new BlockList();
global.addSubnet("2000::", 3, "ipv6");

/** True for an address, as numbers, that anybody may be reached at. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !reserved.check(address, "ipv4");
  return family === 6 && global.check(address, "ipv6") && !reserved.check(address, "ipv6");
}
