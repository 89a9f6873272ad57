import { expect, test } from "vitest";
import { checkUrl, UnsafeUrlError } from "./check-url.ts";

function reasonOf(address: string, options: Parameters<typeof checkUrl>[1] = {}): string {
  try {
    return checkUrl(address, options).href;
  } catch (error) {
    if (error instanceof UnsafeUrlError) return error.reason;
    throw error;
  }
}

test.each([
  ["file:///etc/passwd", "scheme"],
  ["ftp://example.com/a.pdf", "scheme"],
  ["javascript:alert(1)", "scheme"],
  ["data:application/pdf,%25PDF-", "scheme"],
  ["gopher://example.com/", "scheme"],
  ["http://user@example.com/", "credentials"],
  ["http://user:secret@example.com/", "credentials"],
  ["http://example.com@127.0.0.1/", "credentials"],
  ["http://127.0.0.1/", "loopback"],
  ["http://127.1/", "loopback"],
  ["http://0x7f000001/", "loopback"],
  ["http://2130706433/", "loopback"],
  ["http://0177.0.0.1/", "loopback"],
  ["http://127.0.0.1./", "loopback"],
  ["http://%31%32%37.0.0.1/", "loopback"],
  ["http://[::1]/", "loopback"],
  ["http://[::]/", "reserved"],
  ["http://[::ffff:127.0.0.1]/", "embedded"],
  ["http://[64:ff9b::7f00:1]/", "embedded"],
  ["http://[2002:7f00:1::]/", "embedded"],
  ["http://[fd00::8]/", "private"],
  ["http://0.0.0.0/", "reserved"],
  ["http://10.0.0.7/", "private"],
  ["http://169.254.169.254/latest/meta-data/", "link-local"],
  ["http://100.64.0.1/", "reserved"],
  ["http://224.0.0.1/", "multicast"],
  ["http://localhost/", "local"],
  ["http://LOCALHOST./", "local"],
  ["http://a.localhost/", "local"],
  ["http://printer.local/", "local"],
  ["http://metadata.google.internal/", "local"],
  ["http://intranet/", "local"],
  ["http://papers.test/", "reserved"],
  ["http://papers.test./", "reserved"],
  ["not an address", "syntax"],
  ["http://", "syntax"],
  ["//example.com/a", "syntax"],
])("R301: %s is refused as %s", (address, reason) => {
  expect(reasonOf(address)).toBe(reason);
});

test("R301: public names pass; names under .test pass only where a server stands in for them", () => {
  expect(reasonOf("https://example.com/a.pdf")).toBe("https://example.com/a.pdf");
  expect(reasonOf("http://8.8.8.8:8080/")).toBe("http://8.8.8.8:8080/");
  expect(reasonOf("http://papers.test/a", { testNames: true })).toBe("http://papers.test/a");
  expect(reasonOf("http://127.0.0.1/", { testNames: true })).toBe("loopback");
  expect(reasonOf("http://nottest/", { testNames: true })).toBe("local");
});

test("R301: a redirect is judged by where it leads from where it was met", () => {
  const base = "https://example.com/a/b";
  expect(reasonOf("../c.pdf", { base })).toBe("https://example.com/c.pdf");
  expect(reasonOf("//127.0.0.1/c.pdf", { base })).toBe("loopback");
});

test("an error of a refused address does not repeat its credentials", () => {
  expect(() => checkUrl("http://user:secret@example.com/a")).toThrow(/^"example\.com\/a" is not/);
});
