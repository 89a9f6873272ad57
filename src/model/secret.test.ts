import { inspect } from "node:util";
import { expect, test } from "vitest";
import { toErrorEnvelope } from "../std/error/error-envelope.ts";
import { encodeValue } from "../std/value.ts";
import { Secret, secret } from "./secret.ts";

const VALUE = "sk-live-0123456789";

test("S29: a secret shows its name wherever it is printed, and its value by one method alone", () => {
  const key = secret("api-key", VALUE);
  const shown = "[secret api-key]";
  // By mistake is how secrets are printed.
  // oxlint-disable-next-line typescript/restrict-template-expressions
  expect(`${key}`).toBe(shown);
  expect(String(key)).toBe(shown);
  expect(key.toString()).toBe(shown);
  expect(JSON.stringify({ key })).toBe(`{"key":"${shown}"}`);
  expect(inspect({ key }, { depth: 9, showHidden: true })).toContain(shown);
  expect(inspect(key, { customInspect: false, showHidden: true })).not.toContain(VALUE);
  // oxlint-disable-next-line typescript/no-misused-spread
  expect({ ...key }).toEqual({ shown });
  expect(structuredClone(key)).toEqual({ shown });
  expect(Object.entries(key)).toEqual([["shown", shown]]);
  expect(JSON.stringify(toErrorEnvelope(Object.assign(new Error("no"), { key })))).toContain(shown);
  expect(JSON.stringify(toErrorEnvelope(key))).toContain(shown);
  expect(key.reveal()).toBe(VALUE);
  expect(key).toBeInstanceOf(Secret);
  expect(() => Object.assign(key, { shown: "x" })).toThrow(TypeError);
});

test("S29: a secret cannot be stored, and the fields of an error lose it", () => {
  const key = secret("api-key", VALUE);
  expect(encodeValue({ key })).toMatchObject({ ok: false, error: { path: "$.key" } });
  const stored = encodeValue(Object.assign(new Error("no"), { key }));
  expect(JSON.stringify(stored)).not.toContain(VALUE);
});

test.each([
  ["", VALUE],
  ["two words", VALUE],
  ["a]\u001b[2J", VALUE],
  ["k".repeat(101), VALUE],
  ["key", undefined],
  ["key", ""],
  ["key", "12345"],
  ["key", "x".repeat(16_385)],
])("S28: secret(%j, ...) is refused where it could not be kept out of texts", (name, value) => {
  expect(() => secret(name, value)).toThrow(expect.objectContaining({ code: "OPTION_INVALID" }));
});

test("S28: who swaps name and value is not told the value in the refusal", () => {
  const swapped = "pa ss/word+123";
  expect(() => secret(swapped, "api-key")).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining(swapped) }),
  );
});
