import { expect, test } from "vitest";
import { findAddressFault } from "./unsafe-address.ts";

test.each([
  ["127.0.0.1", "loopback"],
  ["127.255.255.254", "loopback"],
  ["10.0.0.7", "private"],
  ["172.16.0.1", "private"],
  ["172.31.255.255", "private"],
  ["192.168.1.1", "private"],
  ["169.254.169.254", "link-local"],
  ["224.0.0.1", "multicast"],
  ["239.255.255.255", "multicast"],
  ["0.0.0.0", "reserved"],
  ["100.64.0.1", "reserved"],
  ["100.127.255.255", "reserved"],
  ["192.0.0.8", "reserved"],
  ["192.0.2.1", "reserved"],
  ["192.88.99.1", "embedded"],
  ["198.18.0.1", "reserved"],
  ["198.51.100.1", "reserved"],
  ["203.0.113.1", "reserved"],
  ["240.0.0.1", "reserved"],
  ["255.255.255.255", "reserved"],
  ["::", "reserved"],
  ["::1", "loopback"],
  ["::127.0.0.1", "reserved"],
  ["::ffff:127.0.0.1", "embedded"],
  ["::ffff:8.8.8.8", "embedded"],
  ["64:ff9b::7f00:1", "embedded"],
  ["64:ff9b:1::1", "embedded"],
  ["2001::1", "embedded"],
  ["2001:db8::1", "reserved"],
  ["2002:7f00:1::", "embedded"],
  ["3fff::1", "reserved"],
  ["100::1", "reserved"],
  ["fc00::1", "private"],
  ["fd00::1", "private"],
  ["fe80::1", "link-local"],
  ["fe80::1%eth0", "reserved"],
  ["ff02::1", "multicast"],
  ["no address", "reserved"],
  ["", "reserved"],
])("R301: %s is %s", (address, fault) => {
  expect(findAddressFault(address)).toBe(fault);
});

test.each([
  "8.8.8.8",
  "1.1.1.1",
  "172.15.255.255",
  "172.32.0.0",
  "100.63.255.255",
  "100.128.0.0",
  "169.253.255.255",
  "223.255.255.255",
  "2606:4700:4700::1111",
  "2a00:1450:4001::1",
])("R301: %s is public", (address) => {
  expect(findAddressFault(address)).toBeUndefined();
});
