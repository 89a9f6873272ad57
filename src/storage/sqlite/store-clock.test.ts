import assert from "node:assert/strict";
import { test } from "vitest";
import type { Clock } from "../../std/clock.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import type { Meta } from "./statements/meta.ts";
import { StoreClock, type StoreMachine } from "./store-clock.ts";

/** A world whose wall and shared clocks a test sets by hand. */
class Hands {
  wallMs = 1_000_000;
  sharedMs = 500.25;
  bootId = "boot-1";

  clock(): StoreClock {
    const clock: Clock = { ...makeVirtualClock(), wallMs: () => this.wallMs };
    const machine: StoreMachine = {
      bootId: this.bootId,
      sharedMonotonicMs: () => this.sharedMs,
      isGone: () => undefined,
    };
    return new StoreClock({ clock, machine });
  }
}

function meta(values: Partial<Meta>): Meta {
  return {
    bootId: "boot-1",
    clockAnchorMs: 0,
    writtenAtMs: 0,
    lastRunNumber: 0,
    lastEventSeq: 0,
    ...values,
  };
}

test("the first process of a boot sets the anchor so that the clock reads UTC", () => {
  const hands = new Hands();
  const clock = hands.clock();
  for (const known of [undefined, meta({ bootId: "boot-0", clockAnchorMs: 7 })]) {
    const anchor = clock.decideAnchor(known, 0, true);
    assert.deepEqual(anchor, { bootId: "boot-1", anchorMs: 1_000_000 - 500.25 });
  }
});

test("later processes of the boot leave the anchor alone, however the wall clock has jumped back", () => {
  const hands = new Hands();
  const known = meta({ clockAnchorMs: 1_000_000 - 500.25 });
  hands.wallMs = 1_000;
  assert.equal(hands.clock().decideAnchor(known, 0, false), undefined);
  hands.wallMs = 1_004_000;
  assert.equal(hands.clock().decideAnchor(known, 0, false), undefined);
});

test("a clock that fell behind, as in suspend, is moved forward once nobody holds a lease", () => {
  const hands = new Hands();
  const known = meta({ clockAnchorMs: 1_000_000 - 500.25 });
  hands.wallMs += 8 * 3_600_000;
  const clock = hands.clock();
  assert.equal(clock.decideAnchor(known, 0, true), undefined);
  const anchor = clock.decideAnchor(known, 0, false);
  assert.deepEqual(anchor, { bootId: "boot-1", anchorMs: hands.wallMs - 500.25 });
});

test("after a boot the clock never reads less than what the store holds", () => {
  const hands = new Hands();
  const clock = hands.clock();
  const known = meta({ bootId: "boot-0", writtenAtMs: 2_000_000 });
  const anchor = clock.decideAnchor(known, 2_000_000, false);
  assert.equal((anchor?.anchorMs ?? 0) + hands.sharedMs, 2_000_000);
});

test("two processes of one boot read the same time, and a jump of the wall clock moves neither", () => {
  const hands = new Hands();
  const clocks = [hands.clock(), hands.clock()];
  for (const clock of clocks) clock.adopt(meta({ clockAnchorMs: 999_500 }));
  const read = (): readonly number[] => clocks.map((clock) => clock.nowMs());
  assert.deepEqual(read(), [1_000_000, 1_000_000]);

  hands.wallMs += 86_400_000;
  hands.sharedMs += 250.9;
  assert.deepEqual(read(), [1_000_251, 1_000_251]);
  hands.wallMs = 0;
  assert.deepEqual(read(), [1_000_251, 1_000_251]);
});

test("the clock follows an anchor that another process moved, and never goes back", () => {
  const hands = new Hands();
  const clock = hands.clock();
  clock.adopt(meta({ clockAnchorMs: 999_500 }));
  assert.equal(clock.nowMs(), 1_000_000);
  clock.adopt(meta({ clockAnchorMs: 1_999_500 }));
  assert.equal(clock.nowMs(), 2_000_000);
  clock.adopt(meta({ clockAnchorMs: 5 }));
  assert.equal(clock.nowMs(), 2_000_000);
  clock.adopt(meta({ clockAnchorMs: 5, writtenAtMs: 3_000_000 }));
  assert.equal(clock.nowMs(), 3_000_000);
});

test("where there is no boot id the clock is wall time that never goes back", () => {
  const hands = new Hands();
  hands.bootId = "";
  const clock = hands.clock();
  clock.adopt(meta({ bootId: "", clockAnchorMs: 5 }));
  assert.equal(clock.nowMs(), 1_000_000);
  hands.wallMs = 1_000_500;
  assert.equal(clock.nowMs(), 1_000_500);
  hands.wallMs = 10;
  assert.equal(clock.nowMs(), 1_000_500);
  assert.equal(clock.decideAnchor(meta({ bootId: "" }), 0, false), undefined);
});
