import fc from "fast-check";
import { expect, test } from "vitest";
import type { StopAfter } from "../model/stage/stage-options.ts";
import { decideMapEnd, makeStopAfter, type ItemCounts, type ToleranceRule } from "./tolerance.ts";

const CONTINUE: ToleranceRule = {
  onItemFailure: "continue",
  tolerate: null,
  minSuccess: 1,
  onEmpty: "succeed",
};
const FAIL: ToleranceRule = { ...CONTINUE, onItemFailure: "fail" };

function countsOf(parts: Partial<ItemCounts>): ItemCounts {
  const counts = { succeeded: 0, failed: 0, skipped: 0, cancelled: 0, upstreamFailed: 0, ...parts };
  const { succeeded, failed, skipped, cancelled, upstreamFailed } = counts;
  return { total: succeeded + failed + skipped + cancelled + upstreamFailed, ...counts };
}

test("an empty list succeeds, is skipped or fails, as asked", () => {
  const empty = countsOf({});
  expect(decideMapEnd(CONTINUE, empty)).toEqual({ kind: "succeeded" });
  expect(decideMapEnd({ ...FAIL, onEmpty: "skip" }, empty)).toEqual({
    kind: "skipped",
    reason: "empty",
  });
  expect(decideMapEnd({ ...CONTINUE, onEmpty: "fail" }, empty)).toEqual({
    kind: "failed",
    message: 'The list is empty, and "onEmpty" is "fail".',
  });
});

test("under fail one failed, cancelled or missing item fails the stage; a skipped one does not", () => {
  expect(decideMapEnd(FAIL, countsOf({ succeeded: 3, skipped: 2 }))).toEqual({ kind: "succeeded" });
  expect(decideMapEnd(FAIL, countsOf({ succeeded: 3, failed: 1, cancelled: 6 }))).toEqual({
    kind: "failed",
    message: "1 of 10 items failed.",
  });
  expect(decideMapEnd(FAIL, countsOf({ upstreamFailed: 1 }))).toEqual({
    kind: "failed",
    message: "1 of 1 item had no item to work on.",
  });
  expect(decideMapEnd(FAIL, countsOf({ succeeded: 1, cancelled: 1 }))).toEqual({
    kind: "failed",
    message: "1 of 2 items were cancelled.",
  });
});

test("under continue failures are borne as long as enough succeed", () => {
  expect(decideMapEnd(CONTINUE, countsOf({ succeeded: 1, failed: 99 }))).toEqual({
    kind: "succeeded",
  });
  expect(decideMapEnd(CONTINUE, countsOf({ failed: 2 }))).toEqual({
    kind: "failed",
    message: "0 of 2 items succeeded; at least 1 must.",
  });
  const three = { ...CONTINUE, minSuccess: 3 };
  expect(decideMapEnd(three, countsOf({ succeeded: 3, failed: 1 })).kind).toBe("succeeded");
  expect(decideMapEnd(three, countsOf({ succeeded: 2, skipped: 5 })).kind).toBe("failed");
});

test("a count or a share bounds the failures, itself included; failures of the map before do not count", () => {
  const two = { ...CONTINUE, tolerate: { count: 2 } };
  expect(decideMapEnd(two, countsOf({ succeeded: 5, failed: 2, upstreamFailed: 3 })).kind).toBe(
    "succeeded",
  );
  expect(decideMapEnd(two, countsOf({ succeeded: 5, failed: 3 }))).toEqual({
    kind: "failed",
    message: "3 of 8 items failed; tolerated are 2.",
  });
  const tenth = { ...CONTINUE, tolerate: { share: 0.1 } };
  expect(decideMapEnd(tenth, countsOf({ succeeded: 18, failed: 2 })).kind).toBe("succeeded");
  expect(decideMapEnd(tenth, countsOf({ succeeded: 17, failed: 3 }))).toEqual({
    kind: "failed",
    message: "3 of 20 items failed; tolerated are 10% (2).",
  });
});

test("a share that is exactly met is borne, whatever floating point makes of it", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 99 }),
      fc.integer({ min: 1, max: 1_000 }),
      (percent, hundreds) => {
        const failed = percent * hundreds;
        const rule = { ...CONTINUE, tolerate: { share: percent / 100 } };
        const succeeded = (100 - percent) * hundreds;
        expect(decideMapEnd(rule, countsOf({ succeeded, failed })).kind).toBe("succeeded");
        const more = countsOf({ succeeded: succeeded - 1, failed: failed + 1 });
        expect(decideMapEnd(rule, more).kind).toBe("failed");
      },
    ),
  );
});

/** After which ending, from 0, the watch stops the map, and why. */
function stopOf(rule: StopAfter, endings: readonly boolean[]): readonly [number, string | null] {
  const watch = makeStopAfter(rule);
  const at = endings.findIndex((failed) => {
    watch.note(failed);
    return watch.reason !== null;
  });
  return [at, watch.reason];
}

test("R94: ten failures in a row stop a map; a success between starts the count again", () => {
  const all = Array.from({ length: 20 }, () => true);
  expect(stopOf({ inARow: 10 }, all)).toEqual([9, "10 items failed in a row"]);
  expect(stopOf({ inARow: 2 }, [true, false, true, true])[0]).toBe(3);
  expect(stopOf({ inARow: 10 }, [...all.slice(11), false, ...all.slice(11)])).toEqual([-1, null]);
  expect(stopOf({ inARow: 1 }, [true])).toEqual([0, "an item failed"]);
});

test("R94: a share of the last items stops a map once so many have ended", () => {
  const rule = { share: 0.9, of: 20 };
  const most = Array.from({ length: 20 }, (_, index) => index > 1);
  expect(stopOf(rule, most)).toEqual([19, "18 of the last 20 items failed"]);
  expect(stopOf(rule, most.slice(1))[0]).toBe(-1);
  expect(
    stopOf(
      rule,
      Array.from({ length: 60 }, (_, index) => index % 5 !== 0),
    )[0],
  ).toBe(-1);
});

test("what has left the window no longer counts", () => {
  expect(stopOf({ share: 1, of: 2 }, [true, false, true, true])[0]).toBe(3);
});

test("once stopped, a watch stays stopped, for the same reason", () => {
  const watch = makeStopAfter({ share: 0.5, of: 2 });
  const reasons = [true, false, true, true, false, false].map((failed) => {
    watch.note(failed);
    return watch.reason;
  });
  expect(reasons).toEqual([null, ...Array.from({ length: 5 }, () => reasons[1])]);
  expect(reasons[1]).toBe("1 of the last 2 items failed");
});

test("the watch over a share agrees with counting the last items anew each time", () => {
  const endings = fc.array(fc.boolean(), { maxLength: 60 });
  const share = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(endings, share, fc.integer({ min: 1, max: 15 }), (list, twentieths, of) => {
      const watch = makeStopAfter({ share: twentieths / 20, of });
      let stopped = false;
      for (const [index, failed] of list.entries()) {
        const last = list.slice(Math.max(0, index + 1 - of), index + 1);
        const failures = last.filter(Boolean).length;
        stopped = stopped || (last.length === of && failures * 20 >= twentieths * of);
        watch.note(failed);
        expect(watch.reason !== null).toBe(stopped);
      }
    }),
  );
});
