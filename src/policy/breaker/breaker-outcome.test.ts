import { expect, test } from "vitest";
import { ERROR_CLASSES, type ErrorClass } from "../../model/outcome.ts";
import { breakerOutcome, type CallOutcome } from "./breaker-outcome.ts";

/** The classes of a call that ended without a code, by what they say. */
const BY_OUTCOME: Readonly<Record<CallOutcome, readonly ErrorClass[]>> = {
  success: [],
  failure: [
    "unreachable",
    "dns-missing",
    "broken",
    "timeout",
    "server",
    "no-verdict",
    "subprocess",
    "unknown",
  ],
  auth: ["auth"],
  cancelled: ["cancelled", "fenced"],
  ignored: [
    "throttled",
    "replay-later",
    "tls-config",
    "permanent",
    "already-done",
    "data-loss",
    "db-conflict",
    "db-away",
    "db-full",
    "local-resource",
    "local-config",
    "crash",
    "bug",
    "deadline",
    "ambiguous",
    "poison",
    "breaker-open",
    "deferral-exhausted",
  ],
};

test("every class says one thing about the other side", () => {
  const said = Object.entries(BY_OUTCOME).flatMap(([outcome, classes]) =>
    classes.map((errorClass) => {
      expect([errorClass, breakerOutcome({ class: errorClass })]).toEqual([errorClass, outcome]);
      return errorClass;
    }),
  );

  expect(said.toSorted()).toEqual(ERROR_CLASSES.toSorted());
  expect(breakerOutcome(null)).toBe("success");
});

test.each([
  ["HTTP 404", "success"],
  ["HTTP 410", "success"],
  ["HTTP 451", "success"],
  ["HTTP 501", "ignored"],
  ["gRPC NOT_FOUND", "success"],
  ["gRPC UNIMPLEMENTED", "ignored"],
  ["23505", "success"],
  ["42P01", "success"],
  ["ERR_INVALID_URL", "ignored"],
  ["UND_ERR_HEADERS_OVERFLOW", "ignored"],
  ["42", "ignored"],
])(
  "a permanent failure with %s is %s: only an answer proves the other side alive",
  (code, outcome) => {
    expect(breakerOutcome({ class: "permanent", code })).toBe(outcome);
  },
);

test.each([
  ["exit 75", "failure"],
  ["exit 3", "failure"],
  ["SIGTERM", "failure"],
  ["exit 64", "ignored"],
  ["exit 127", "ignored"],
  ["exit 139", "ignored"],
  ["SIGSEGV", "ignored"],
])(
  "a child that ended by %s is %s: codes that blame input or set-up do not count",
  (code, outcome) => {
    expect(breakerOutcome({ class: "subprocess", code })).toBe(outcome);
  },
);

test("R123: named classes are excluded, and no others", () => {
  const exclude: ErrorClass[] = ["server", "auth"];

  expect(breakerOutcome({ class: "server" }, exclude)).toBe("ignored");
  expect(breakerOutcome({ class: "auth" }, exclude)).toBe("ignored");
  expect(breakerOutcome({ class: "timeout" }, exclude)).toBe("failure");
  expect(breakerOutcome({ class: "cancelled" }, ["cancelled"])).toBe("cancelled");
});

test("a function excludes by the error that was thrown", () => {
  const exclude = (error: unknown): boolean => error === "soft";

  expect(breakerOutcome({ class: "server", error: "soft" }, exclude)).toBe("ignored");
  expect(breakerOutcome({ class: "server", error: "hard" }, exclude)).toBe("failure");
});

test("a function that throws excludes nothing", () => {
  const exclude = (): boolean => {
    throw new Error("oops");
  };
  expect(breakerOutcome({ class: "server" }, exclude)).toBe("failure");
});

test("a fault of ours says nothing about the other side, whatever its class", () => {
  for (const errorClass of ["server", "unknown", "auth"] as const) {
    expect(breakerOutcome({ class: errorClass, code: "QUEUE_FULL" })).toBe("ignored");
  }
  expect(breakerOutcome({ class: "unknown", code: "INTERNAL" })).toBe("failure");
});
