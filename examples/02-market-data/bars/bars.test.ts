// The bundled files are the same bytes on every machine, and there are as many as there should be.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { toLocal, toUtcMs } from "../chicago.ts";
import { writeBars } from "./write-bars.ts";

test("the files of bars are made alike everywhere", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bars-"));
  try {
    expect(await writeBars(folder)).toEqual({
      files: 30,
      sha256: "aea32a1646b5df06d566f5dbaf82ac5e88ede40aa220570418217aa40feca06c",
    });
    expect(await readdir(folder)).toHaveLength(30);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.each([
  ["2019-11-03", "00:00", "2019-11-03T05:00:00Z", "2019-11-03T00:00:00-05:00"],
  ["2019-11-03", "16:00", "2019-11-03T22:00:00Z", "2019-11-03T16:00:00-06:00"],
  ["2020-03-08", "00:00", "2020-03-08T06:00:00Z", "2020-03-08T00:00:00-06:00"],
  ["2020-03-08", "16:00", "2020-03-08T21:00:00Z", "2020-03-08T16:00:00-05:00"],
  ["2020-03-08", "03:00", "2020-03-08T08:00:00Z", "2020-03-08T03:00:00-05:00"],
])("%s %s in Chicago is %s", (...[day, time, utc, stamp]) => {
  expect(toUtcMs(day, time)).toBe(Date.parse(utc));
  expect(toLocal(Date.parse(utc))).toEqual({ day, stamp });
});
