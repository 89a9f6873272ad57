import { expect, test } from "vitest";
import { toClientAddress } from "./client-address.ts";

test("an address is what the connection says, or the proxy that is trusted said last", () => {
  expect(toClientAddress("10.0.0.1", "1.2.3.4", false)).toBe("10.0.0.1");
  expect(toClientAddress("10.0.0.1", "6.6.6.6, 1.2.3.4", true)).toBe("1.2.3.4");
  expect(toClientAddress("10.0.0.1", null, true)).toBe("10.0.0.1");
  expect(toClientAddress("::ffff:10.0.0.1", null, false)).toBe("10.0.0.1");
});

test("of IPv6 one client has what it cannot choose by itself: the first four groups", () => {
  expect(toClientAddress("2001:db8:1:2:3:4:5:6", null, false)).toBe("2001:db8:1:2");
  expect(toClientAddress("2001:db8::9", null, false)).toBe("2001:db8:0:0");
  expect(toClientAddress("2001:db8::9:8", null, false)).toBe("2001:db8:0:0");
  expect(toClientAddress("::1", null, false)).toBe("0:0:0:0");
});
