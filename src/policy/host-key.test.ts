import fc from "fast-check";
import { expect, test } from "vitest";
import { isMillraceError } from "../model/errors.ts";
import { KeyedLimiter } from "./fair-lines/keyed-limiter.ts";
import { hostKey } from "./host-key.ts";

test.each([
  ["https://Example.COM/a/b?c=d#e", "example.com"],
  ["https://user:secret@example.com/", "example.com"],
  ["https://example.com:443/", "example.com"],
  ["http://example.com:80", "example.com"],
  ["http://example.com:443", "example.com:443"],
  ["https://example.com:8080", "example.com:8080"],
  ["https://example.com./", "example.com"],
  ["https://[2001:DB8::1]:8443/", "[2001:db8::1]:8443"],
  ["http://0x7f.1/", "127.0.0.1"],
  ["https://BÜCHER.example/", "xn--bcher-kva.example"],
  ["ftp://EXAMPLE.com/f", "example.com"],
  ["postgres://User@DB.internal:5432/x", "db.internal:5432"],
])("the key of %s is %s", (address, key) => {
  expect(hostKey(address)).toBe(key);
  expect(hostKey(new URL(address))).toBe(key);
});

test("R107: spellings of one host share a limit, another port does not", () => {
  const limiter = new KeyedLimiter({ limits: { default: 1 } });
  const take = (url: string) => limiter.tryTake([{ key: hostKey(url) }]);
  expect(take("https://Example.COM/a").kind).toBe("permit");
  expect(take("https://u:p@example.com/b")).toMatchObject({ kind: "refused", key: "example.com" });
  expect(take("https://example.com:8080/").kind).toBe("permit");
});

test("letter case, credentials, path and query never make another key", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/);
  const parts = fc.record({
    host: word,
    user: word,
    path: word,
    port: fc.integer({ min: 1_024, max: 65_535 }),
  });
  const check = fc.property(parts, ({ host, user, path, port }) => {
    const key = `${host}.example:${port}`;
    expect(hostKey(`https://${key}`)).toBe(key);
    expect(hostKey(`HTTPS://${user}:${path}@${key.toUpperCase()}/${path}?${user}#${path}`)).toBe(
      key,
    );
  });
  fc.assert(check);
});

test.each(["", "example.com", "/path", "https://", "file:///etc/hosts", "mailto:a@b.example"])(
  "%j has no host and is refused",
  (address) => {
    expect(() => hostKey(address)).toThrow("No host key: expected an");
    try {
      hostKey(address);
    } catch (error) {
      expect(isMillraceError(error) && error.code).toBe("OPTION_INVALID");
    }
  },
);

test("a refusal repeats neither credentials nor more than a line", () => {
  expect(() => hostKey("https://user:secret@exa mple.com/")).toThrow('got "***@exa mple.com/"');
  expect(() => hostKey(`no address ${"x".repeat(10_000)}`)).toThrow(/^.{1,200}$/);
});
