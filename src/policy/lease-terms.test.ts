import { test } from "@fast-check/vitest";
import fc from "fast-check";
import { describe, expect } from "vitest";
import { isMillraceError } from "../model/errors.ts";
import type { LeaseTerms } from "../model/lease.ts";
import { checkLeaseTerms, LEASE_TERMS_DEFAULT, stopTimeOf } from "./lease-terms.ts";

function faultOf(terms: Partial<LeaseTerms>): string {
  try {
    checkLeaseTerms(terms);
  } catch (error) {
    expect(isMillraceError(error) && error.code).toBe("OPTION_INVALID");
    return String(error);
  }
  return "";
}

describe("the terms of a lease", () => {
  test("R163: are 30 s with a heartbeat of 5 s where nothing is said, and hold exactly", () => {
    const terms = checkLeaseTerms();
    expect(terms).toEqual(LEASE_TERMS_DEFAULT);
    expect([terms.leaseMs, terms.heartbeatMs]).toEqual([30_000, 5_000]);
    expect(faultOf({ leaseMs: 29_999 })).not.toBe("");
  });

  test("R163: are refused with the numbers when a healthy holder could lose its lease", () => {
    expect(faultOf({ heartbeatMs: 10_001 })).toContain("30000 < 3 · 10001 + 5000 + 10000");
    expect(faultOf({ heartbeatMs: 6_000 })).toContain("take 33000 ms");
    expect(checkLeaseTerms({ leaseMs: 600_000, heartbeatMs: 30_000 }).leaseMs).toBe(600_000);
  });

  test("R163: are refused with the numbers when a holder could stop too late", () => {
    expect(faultOf({ stopMs: 10_001 })).toContain("3 · 5000 + 5000 > 30000 · 0.999 − 10001");
  });

  test("are refused where a time is no number that can pass", () => {
    expect(faultOf({ leaseMs: Number.NaN })).toContain("leaseMs is NaN");
    expect(faultOf({ heartbeatMs: 0 })).toContain("heartbeatMs is 0");
    expect(faultOf({ graceMs: -1 })).toContain("graceMs is -1");
    expect(faultOf({ callMs: Number.POSITIVE_INFINITY })).toContain("callMs is Infinity");
  });

  const ms = fc.integer({ min: 1, max: 1_000_000 });
  const times = fc.record({ leaseMs: ms, heartbeatMs: ms, callMs: ms, pauseMs: ms, stopMs: ms });
  test.prop([times])(
    "that are accepted let every healthy renewal come before the stop, and the stop before the end",
    (given) => {
      fc.pre(faultOf(given) === "");
      const { leaseMs, heartbeatMs, callMs, pauseMs, stopMs } = given;
      const stopAtMs = stopTimeOf(given, 0);
      expect(3 * heartbeatMs + callMs).toBeLessThanOrEqual(stopAtMs);
      expect(stopAtMs + stopMs).toBeLessThanOrEqual(leaseMs);
      expect(3 * heartbeatMs + callMs + pauseMs).toBeLessThanOrEqual(leaseMs);
    },
  );
});
