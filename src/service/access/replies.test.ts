import { expect, onTestFinished, test } from "vitest";
import { REPLY_KEPT_MS_DEFAULT } from "../../model/defaults.ts";
import { makeVirtualClock } from "../../std/virtual-clock.ts";
import { contextOf } from "../mill-context.ts";
import { openMillrace } from "../millrace.ts";
import { Replies } from "./replies.ts";

test("replies that are too old go faster than others come, however many there are", async () => {
  const clock = makeVirtualClock();
  const mill = await openMillrace({ store: "memory:", pipelines: [], clock });
  onTestFinished(() => mill.close({ drainMs: 0 }));
  const replies = new Replies(mill);
  const ask = async (key: string): Promise<void> => {
    const asked = replies.claim({ tokenId: "default", route: "POST /", key }, "same");
    await clock.advance(0);
    const claim = await asked;
    if (claim.kind !== "fresh") throw new Error(`"${key}" is ${claim.kind}.`);
    const kept = replies.keep(claim.hold, { status: 200, headers: {}, body: "" });
    for (let turn = 0; turn < 5; turn++) await clock.advance(0);
    await kept;
  };
  const countKept = async (): Promise<number> =>
    (await contextOf(mill).store.listRecords({ collection: "replies", limit: 500 })).length;
  for (let count = 0; count < 450; count++) await ask(`old ${count}`);
  expect(await countKept()).toBe(450);

  await clock.advance(REPLY_KEPT_MS_DEFAULT);
  for (let count = 0; count < 10; count++) await ask(`new ${count}`);
  expect(await countKept()).toBe(10);
});
