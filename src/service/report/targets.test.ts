import { expect, test } from "vitest";
import { judgeTargets, parseTarget, TARGET_NAMES, targetKind } from "./targets.ts";

test("targets are read by the kind of their measure", () => {
  expect(["success-rate=0.98", "success-rate=98%", "p95=2m", "retries=3"].map(parseTarget)).toEqual(
    [
      { name: "success-rate", want: 0.98 },
      { name: "success-rate", want: 0.98 },
      { name: "p95", want: 120_000 },
      { name: "retries", want: 3 },
    ],
  );
});

test.each([
  ["p96=2m", 'there is no target "p96"', 'did you mean "p95"?'],
  ["success-rate", '"success-rate" has no value', undefined],
  ["success-rate=1.5", 'expected a share from 0 to 1, or 0% to 100%; got "1.5"', undefined],
  ["success-rate=-1", "expected a share", undefined],
  ["p95=fast", "", undefined],
  ["failed=1.5", 'expected a whole number; got "1.5"', undefined],
  ["failed=5%", 'expected a whole number; got "5%"', undefined],
  ["", 'there is no target ""', undefined],
])("%j is refused as a target", (text, message, hint) => {
  expect(() => parseTarget(text)).toThrow(message);
  try {
    parseTarget(text);
  } catch (error) {
    expect(error).toMatchObject({
      code: "TARGET_INVALID",
      ...(hint === undefined ? {} : { hint }),
    });
  }
});

test("a share is wanted at least, a time and a count at most, and what cannot be measured is missed", () => {
  for (const name of TARGET_NAMES) {
    const isShare = targetKind(name) === "share";
    const met = (got: number): boolean | undefined =>
      judgeTargets([{ name, want: 0.5 }], { [name]: got })[0]?.met;
    expect([name, met(0.5), met(0.6), met(0.4)]).toEqual([name, true, isShare, !isShare]);
    expect(judgeTargets([{ name, want: 0.5 }], {})).toEqual([
      { name, want: 0.5, got: null, met: false },
    ]);
  }
});
