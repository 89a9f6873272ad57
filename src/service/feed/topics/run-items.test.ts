// The states of items, kept up by events that may come late or twice.

import fc from "fast-check";
import { expect, test } from "vitest";
import { inflateRawSync } from "node:zlib";
import type { MillraceEvent } from "../../../model/event.ts";
import { makeVirtualClock } from "../../../std/virtual-clock.ts";
import { MemoryStore } from "../../../storage/memory/memory-store.ts";
import { RunItems } from "./run-items.ts";

const RUN = "run";

function makeItems(): RunItems {
  return new RunItems(new MemoryStore({ clock: makeVirtualClock() }), RUN, () => undefined);
}

function event(
  type: MillraceEvent["type"],
  at: { readonly ms: number; readonly attempt: number },
  data: MillraceEvent["data"] = {},
): MillraceEvent {
  const { ms, attempt } = at;
  const index = { index: 2 };
  return {
    seq: 0,
    runSeq: 0,
    atMs: ms,
    type,
    run: RUN,
    stage: "s",
    attempt,
    data: { ...index, ...data },
  };
}

/** Mark and attempts of the third item. */
function readThird(items: RunItems): readonly [mark: number, attempts: number] {
  const [stage] = items.pack();
  const byte = inflateRawSync(Buffer.from(stage?.states ?? "", "base64"))[2] ?? 0;
  return [byte & 15, byte >> 4];
}

test("an item goes through its marks with its attempts", () => {
  const items = makeItems();
  items.take(event("stage.expanded", { ms: 1, attempt: 1 }, { items: 5 }));
  expect(items.pack()[0]).toMatchObject({ total: 5, count: 5 });
  items.take(event("item.started", { ms: 2, attempt: 1 }));
  expect(readThird(items)).toEqual([3, 1]);
  items.take(event("item.waiting", { ms: 3, attempt: 1 }, { blocker: "retry", attempts: 3 }));
  expect(readThird(items)).toEqual([2, 1]);
  items.take(event("item.waiting", { ms: 4, attempt: 2 }, { blocker: "quota:host" }));
  expect(readThird(items)).toEqual([1, 1]);
  items.take(event("item.started", { ms: 5, attempt: 2 }));
  items.take(event("item.succeeded", { ms: 6, attempt: 2 }, { attempts: 2 }));
  expect(readThird(items)).toEqual([4, 2]);
  expect(items.drain()).toEqual([{ stage: "s", total: 5, states: [2, 0x24] }]);
  expect(items.drain()).toEqual([]);
});

test("a start that is told after the end of its attempt changes nothing; the next one does", () => {
  const items = makeItems();
  items.take(event("item.succeeded", { ms: 10, attempt: 1 }, { attempts: 1 }));
  items.take(event("item.started", { ms: 9, attempt: 1 }));
  items.take(event("item.started", { ms: 10, attempt: 1 }));
  expect(readThird(items)).toEqual([4, 1]);
  // Done again in a later epoch, from attempt 1.
  items.take(event("item.started", { ms: 50, attempt: 1 }));
  expect(readThird(items)).toEqual([3, 1]);
  items.take(event("item.waiting", { ms: 60, attempt: 1 }, { blocker: "retry" }));
  items.take(event("item.started", { ms: 60, attempt: 2 }));
  expect(readThird(items)).toEqual([3, 2]);
});

test("however late starts are told within a batch, the end of an item stands", () => {
  const life = (attempts: number): MillraceEvent[] => {
    const events: MillraceEvent[] = [];
    for (let attempt = 1; attempt <= attempts; attempt++) {
      events.push(event("item.started", { ms: attempt * 10, attempt }));
      const ms = attempt * 10 + 5;
      events.push(
        attempt < attempts
          ? event("item.waiting", { ms, attempt }, { blocker: "retry" })
          : event("item.failed", { ms, attempt }, { attempts }),
      );
    }
    return events;
  };
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.nat(40), (attempts, cut) => {
      const items = makeItems();
      const events = life(attempts);
      const isStart = ({ type }: MillraceEvent): boolean => type === "item.started";
      for (const batch of [events.slice(0, cut), events.slice(cut)]) {
        // As the bus tells them: what is stored first.
        for (const each of batch.filter((one) => !isStart(one))) items.take(each);
        for (const each of batch.filter(isStart)) items.take(each);
      }
      expect(readThird(items)).toEqual([6, Math.min(15, attempts)]);
    }),
  );
});
