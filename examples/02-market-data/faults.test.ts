// What goes wrong on order, over a few days: an analyzer that hangs, a start while it does, a process that dies.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import * as z from "zod";
import { writeBars } from "./bars/write-bars.ts";
import { CONFIG, listAlive, makePlace, type Place } from "./support/run-example.ts";

/** Long for a day, which takes a quarter of a second; short for who waits while it hangs. */
const TIMEOUT_MS = 8_000;
const KEY = "MSFT/2003-09-16";

let place: Place;
beforeEach(async () => {
  place = makePlace({ MARKET_DATA_ANALYZE_TIMEOUT: `${TIMEOUT_MS}ms` });
  await writeBars(place.bars, (name) => /^(?:MSFT.*-1[567]|ES.*2020-03-16)/.test(name));
});
afterEach(() => place.remove());

/** The input that orders this fault. */
function order(fault: object): string {
  const path = join(place.folder, "faults.json");
  writeFileSync(path, JSON.stringify([fault]));
  return JSON.stringify({ faults: path });
}

const STARTED = z.object({
  item: z.string(),
  data: z.object({ data: z.object({ pid: z.int() }) }),
});

/** Process groups of the analyzers that were started for a day, one for each attempt. */
async function listAnalyzers(run: string, key: string): Promise<number[]> {
  const told = await place.millrace("events", run, "--type", "stage.emitted", "--json");
  const lines = told.stdout.trim().split("\n");
  const events = lines.map((line) => STARTED.parse(JSON.parse(line)));
  return events.filter(({ item }) => item === key).map(({ data }) => data.data.pid);
}

function readTables(): Record<string, string> {
  const folder = join(place.out, "merged", "MSFT");
  const names = readdirSync(folder).toSorted();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

test("R302: an analyzer that hangs ends at its timeout with all it has started, and its second try succeeds; a start meanwhile is refused with 4", async () => {
  const input = order({ stage: "analyze", item: KEY, do: "hang" });
  const started = place.start("src/cli/main.ts", "run", CONFIG, "--input", input, "--json");
  await new Promise<void>((resolve) => {
    started.child.stderr?.on("data", (text: Buffer) => {
      if (text.includes("stage index started")) resolve();
    });
  });
  const second = await place.millrace("run", CONFIG);
  expect([second.code, second.stderr.includes("RUN_BUSY")]).toEqual([4, true]);

  const ended = await started.ended;
  expect(ended.code).toBe(0);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    run: { state: "succeeded", warnings: 1, retries: 1 },
    metrics: { written: 3, failed: 1 },
  });
  const shown = await place.millrace("show", `1/analyze/${KEY}`, "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    item: {
      state: "succeeded",
      attempts: [{ n: 1, class: "timeout" }, { n: 2 }],
    },
  });
  const groups = await listAnalyzers("1", KEY);
  expect(groups).toHaveLength(2);
  expect(listAlive(groups)).toEqual([]);
});

test("R302: killed with -9 amid translating, the run resumes with what is left and gives the same tables", async () => {
  const input = order({ stage: "translate", item: KEY, do: "kill" });
  const killed = await place.millrace("run", CONFIG, "--input", input);
  expect(killed.signal).toBe("SIGKILL");
  const resumed = await place.millrace("resume", "last", "--config", CONFIG, "--json");
  expect(resumed.code).toBe(0);
  expect(JSON.parse(resumed.stdout)).toMatchObject({ run: { resumes: 1, warnings: 1 } });
  const tables = readTables();
  const other = makePlace();
  try {
    await writeBars(other.bars, (name) => /^MSFT.*-1[567]/.test(name));
    expect((await other.millrace("run", CONFIG)).code).toBe(0);
    const whole = join(other.out, "merged", "MSFT");
    for (const [name, text] of Object.entries(tables)) {
      expect(readFileSync(join(whole, name), "utf8")).toBe(text);
    }
    expect(Object.keys(tables)).toEqual(readdirSync(whole).toSorted());
  } finally {
    other.remove();
  }
});

test("the folder of bars is not there: exit 1 names it and what makes it", async () => {
  const input = JSON.stringify({ bars: join(place.folder, "none") });
  const { code, stderr } = await place.millrace("run", CONFIG, "--input", input);
  expect(code).toBe(1);
  expect(stderr).toContain(join(place.folder, "none"));
  expect(stderr).toContain("make-bars.ts");
});
