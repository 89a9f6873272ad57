// Which IP addresses are no public place on the internet: a list of links that others wrote must not lead a program
// into the machine or the network it runs in. What is not known to be public is refused.
import { BlockList, isIP } from "node:net";

/** Why an address is refused. */
export type AddressFault =
  | "loopback"
  | "private"
  | "link-local"
  | "multicast"
  | "reserved"
  | "embedded";

type Row = readonly [fault: AddressFault, ...subnets: readonly string[]];

/** Special-purpose IPv4 blocks, the narrower ones first. */
const IPV4_ROWS: readonly Row[] = [
  ["loopback", "127.0.0.0/8"],
  ["private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"],
  ["link-local", "169.254.0.0/16"],
  ["multicast", "224.0.0.0/4"],
  // Relays of 6to4: what is sent there comes out somewhere else.
  ["embedded", "192.88.99.0/24"],
  ["reserved", "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15"],
  ["reserved", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4"],
];

/** The same of IPv6. Beyond these only 2000::/3 is handed out at all. */
const IPV6_ROWS: readonly Row[] = [
  ["loopback", "::1/128"],
  ["private", "fc00::/7"],
  ["link-local", "fe80::/10", "fec0::/10"],
  ["multicast", "ff00::/8"],
  // An IPv4 address inside: mapped, compatible, translated (NAT64), 6to4, Teredo.
  ["embedded", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16"],
  ["embedded", "2001::/32"],
  ["reserved", "::/128", "2001::/23", "2001:db8::/32", "3fff::/20"],
];

const IPV4 = toBlocks(IPV4_ROWS, "ipv4");
const IPV6 = toBlocks(IPV6_ROWS, "ipv6");
const IPV6_PUBLIC = toBlocks([["reserved", "2000::/3"]], "ipv6");

interface Block {
  readonly fault: AddressFault;
  readonly list: BlockList;
}

function toBlocks(rows: readonly Row[], family: "ipv4" | "ipv6"): readonly Block[] {
  return rows.map(([fault, ...subnets]) => {
    const list = new BlockList();
    for (const subnet of subnets) {
      const [address = "", bits = ""] = subnet.split("/");
      list.addSubnet(address, Number(bits), family);
    }
    return { fault, list };
  });
}

/** Why this address is none to connect to; undefined for a public one. Text that is no address is `reserved`. */
export function findAddressFault(address: string): AddressFault | undefined {
  const version = isIP(address);
  if (version === 4) return IPV4.find(({ list }) => list.check(address, "ipv4"))?.fault;
  // A zone ("fe80::1%eth0") belongs to local addresses alone.
  if (version !== 6 || address.includes("%")) return "reserved";
  const known = IPV6.find(({ list }) => list.check(address, "ipv6"));
  if (known !== undefined) return known.fault;
  return IPV6_PUBLIC.some(({ list }) => list.check(address, "ipv6")) ? undefined : "reserved";
}
