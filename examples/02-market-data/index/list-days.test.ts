// Which day the rows of a file belong to.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listDays } from "./list-days.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "list-days-"));
});
afterEach(() => rm(folder, { recursive: true }));

async function put(name: string, ...times: readonly string[]): Promise<void> {
  await writeFile(
    join(folder, name),
    ["timestamp_utc,open", ...times.map((time) => `${time},1`)].join("\n"),
  );
}

test("R302: rows that are all of one other day join it; of several days the name decides, as it does without rows", async () => {
  await put("ES_1m_2020-03-13.csv", "2020-03-13T15:00:00Z", "2020-03-14T15:00:00Z");
  await put("ES_1m_2020-03-14.csv", "2020-03-13T20:00:00Z", "2020-03-13T20:01:00Z");
  await put("ES_1m_2020-03-15.csv", "no time at all");
  // Five in the morning in UTC is the evening before in Chicago, while its winter lasts.
  await put("MSFT_1m_2020-01-08.csv", "2020-01-08T05:00:00Z");
  await put("notes.csv");
  const { days, unknown } = await listDays(folder);
  expect(unknown).toEqual(["notes.csv"]);
  const found = days.map(({ instrument, day, sources }) => [
    instrument,
    day,
    ...sources.map(({ file }) => file.slice(-6, -4)),
  ]);
  expect(found).toEqual([
    ["ES", "2020-03-13", "13", "14"],
    ["ES", "2020-03-15", "15"],
    ["MSFT", "2020-01-07", "08"],
  ]);
});
