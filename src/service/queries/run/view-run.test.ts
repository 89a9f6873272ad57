import { afterEach, expect, test } from "vitest";
import { openMillrace, type Millrace } from "../../millrace.ts";
import { definePipeline } from "../../pipeline.ts";
import { listRuns } from "../list-runs.ts";
import { showRun } from "../show-run.ts";

let open: Millrace | undefined;

afterEach(async () => {
  await open?.close({ drainMs: 0 });
  open = undefined;
});

const fails = definePipeline({
  name: "fails",
  stages: [
    {
      id: "a",
      run: () => {
        throw new Error("no");
      },
    },
  ],
});
const works = definePipeline({ name: "works", stages: [{ id: "a", run: () => 1 }] });

test("a line of a list says of a run what the run says by itself, whatever it waits for", async () => {
  const mill = (open = await openMillrace({
    store: "memory:",
    graceMs: 10,
    pipelines: [fails, works],
  }));
  await (await mill.start(fails, undefined)).result();
  await (await mill.start(works, undefined)).result();
  await mill.enqueue(works, [
    { input: {}, delay: "1h", tags: { a: "b" } },
    { input: {}, key: "k" },
  ]);

  const { runs } = await listRuns(mill.store);

  expect(runs.map(({ state }) => state)).toEqual(["queued", "waiting", "succeeded", "failed"]);
  expect(runs[1]?.blocker?.kind).toBe("due");
  for (const line of runs) {
    const { run } = await showRun(mill.store, line.name);
    expect(JSON.stringify(line)).toBe(JSON.stringify(run));
  }
});
