import fc from "fast-check";
import { expect, test, vi } from "vitest";
import { holdsSecret, noteSecret, redact, redactCut, redactValue } from "./redact.ts";

test("while no secret is known, texts and values are themselves", async () => {
  // A module of its own: other files of this process may have noted secrets before.
  vi.resetModules();
  const fresh = await import("./redact.ts");
  const value = { key: "hunter2-hunter2" };
  expect(fresh.redactValue(value)).toBe(value);
  expect(fresh.redact("hunter2-hunter2")).toBe("hunter2-hunter2");
  expect(fresh.redactCut("hunter2-hunter2")).toBe("hunter2-hunter2");
  expect(fresh.holdsSecret("hunter2-hunter2")).toBe(false);
});

test("S28: a secret is found as it is, in JSON, in an address and in base64, whatever stands around it", () => {
  const arbitrary = fc.record({
    // They stay known: none may begin like the texts of other cases.
    value: fc.string({ minLength: 8, maxLength: 60, unit: "grapheme" }).map((text) => `§${text}`),
    before: fc.string({ maxLength: 9 }),
    after: fc.string({ maxLength: 9 }),
  });
  fc.assert(
    fc.property(arbitrary, ({ value, before, after }) => {
      fc.pre(!/^\s*$/.test(value) && value.isWellFormed());
      noteSecret("canary", value);
      const text = `${before}${value}${after}`;
      expect(holdsSecret(text)).toBe(true);
      const address = `https://a.example/?${new URLSearchParams({ key: text }).toString()}`;
      const spelt = [
        { shown: redact(text), secret: value },
        { shown: redact(JSON.stringify({ text })), secret: JSON.stringify(value).slice(1, -1) },
        { shown: redact(JSON.stringify(JSON.stringify(text))), secret: JSON.stringify(value) },
        { shown: redact(encodeURIComponent(text)), secret: encodeURIComponent(value) },
        { shown: redact(address), secret: new URLSearchParams({ key: value }).toString().slice(4) },
      ];
      for (const { shown, secret } of spelt) {
        expect(shown).toContain("[secret canary]");
        expect(shown.includes(secret) && !`${before}${after}`.includes(secret)).toBe(false);
      }
      const basic = redact(Buffer.from(`u:${text}`).toString("base64"));
      expect(basic).toContain("[secret canary]");
    }),
    { numRuns: 60 },
  );
});

test("a cut that goes through a secret leaves no piece of it", () => {
  noteSecret("cut", "correct-horse-battery");
  for (let chars = 1; chars < "correct-horse-battery".length; chars++) {
    const shown = redactCut(`before: ${"correct-horse-battery".slice(0, chars)}`);
    expect(shown).toBe("before: ");
  }
  expect(redactCut("before: correct-horse-battery")).toBe("before: [secret cut]");
  expect(redactCut("before: other")).toBe("before: other");
});

test("each line of a secret of several lines is one", () => {
  noteSecret("pem", "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEF\n-----END KEY-----\n");
  expect(redact("it is: kqhkiG9w0BAQEF")).toBe("it is: [secret pem]");
});

test("of two secrets that begin alike the longer one is found first", () => {
  noteSecret("short", "abcdef-12");
  noteSecret("long", "abcdef-1234");
  expect(redact("abcdef-1234 abcdef-12")).toBe("[secret long] [secret short]");
});

test("a value keeps its numbers, its shape and what says itself how it is shown", () => {
  noteSecret("digits", "48151623");
  const at = new Date(0);
  const value = { "48151623": "x48151623", n: 48151623, list: [null, true, "48151623"], at };
  expect(redactValue(value)).toEqual({
    "[secret digits]": "x[secret digits]",
    n: 48151623,
    list: [null, true, "[secret digits]"],
    at,
  });
});

test("more secrets than are remembered push out the oldest, never the newest", () => {
  for (let number = 0; number < 600; number++) noteSecret(`n${number}`, `rotated-value-${number}!`);
  expect(redact("rotated-value-599!")).toBe("[secret n599]");
  expect(redact("rotated-value-0!")).toBe("rotated-value-0!");
});
