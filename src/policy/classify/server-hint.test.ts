import { expect, test } from "vitest";
import { findHeader, findRetryAfterMs } from "./server-hint.ts";

const DATE = "Wed, 21 Oct 2015 07:28:00 GMT";
const LATER = "Wed, 21 Oct 2015 07:28:30 GMT";

test("headers are read from objects with get, from records of any case, from the answer, from lists", () => {
  expect(findHeader({ headers: new Headers({ "Retry-After": "5" }) }, "retry-after")).toBe("5");
  expect(findHeader({ headers: { "RETRY-AFTER": " 5 " } }, "retry-after")).toBe("5");
  expect(findHeader({ response: { headers: { "retry-after": ["5", "6"] } } }, "retry-after")).toBe(
    "5",
  );
  expect(findHeader({ headers: new Map([["retry-after", 5]]) }, "retry-after")).toBe("5");
  expect(findHeader({ headers: { date: true } }, "date")).toBeUndefined();
  expect(findHeader({ headers: "none" }, "date")).toBeUndefined();
  expect(findHeader({}, "date")).toBeUndefined();
});

test("a `get` that throws leaves the record to be read", () => {
  const headers = {
    "retry-after": "5",
    get(): never {
      throw new Error("no");
    },
  };
  expect(findHeader({ headers }, "retry-after")).toBe("5");
});

test("Retry-After in seconds is given in ms", () => {
  expect(findRetryAfterMs({ headers: { "retry-after": "0" } }, undefined)).toBe(0);
  expect(findRetryAfterMs({ headers: { "retry-after": "120" } }, undefined)).toBe(120_000);
});

test("a date counts from the answer's own Date header, so that a wrong clock does not matter", () => {
  const headers = { "retry-after": LATER, date: DATE };
  expect(findRetryAfterMs({ headers }, 0)).toBe(30_000);
  expect(findRetryAfterMs({ headers }, undefined)).toBe(30_000);
  expect(findRetryAfterMs({ headers: { "retry-after": DATE, date: DATE } }, 0)).toBe(0);
});

test("without a Date header it counts from our clock, and without that it is ignored", () => {
  const headers = { "retry-after": LATER };
  expect(findRetryAfterMs({ headers }, Date.parse(DATE))).toBe(30_000);
  expect(findRetryAfterMs({ headers }, undefined)).toBeUndefined();
  expect(findRetryAfterMs({ headers: { ...headers, date: "today" } }, Date.parse(DATE))).toBe(
    30_000,
  );
});

test.each([
  "-5",
  "1.5",
  "soon",
  "",
  "1e3",
  "Wed, 99 Oct 2015 07:28:30 GMT",
  "2015-10-21T07:28:30Z",
])('the invalid hint "%s" is ignored', (text) => {
  expect(findRetryAfterMs({ headers: { "retry-after": text, date: DATE } }, 0)).toBeUndefined();
});

test("a date in the past is ignored", () => {
  expect(findRetryAfterMs({ headers: { "retry-after": DATE, date: LATER } }, 0)).toBeUndefined();
});
