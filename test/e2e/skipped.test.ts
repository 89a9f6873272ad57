// A run that had nothing to do: it ends `skipped`, which is final, and no error wherever it is asked about.

import { afterAll, expect, test } from "vitest";
import { documentOf, startHost } from "../support/host.ts";

const PIPELINE = `
import { input, pipeline, required, skip, stage } from "millrace";
const page = input();
const robots = stage("robots", { needs: { page }, skips: true }, ({ page }) =>
  page.startsWith("/hidden") ? skip("robots.txt forbids it") : page,
);
const fetched = stage("fetch", { needs: { robots: required(robots) } }, ({ robots }) => "got " + robots);
export const fetches = pipeline("fetches", { input: page, output: { fetched } });
`;

const host = startHost({
  "fetches.ts": PIPELINE,
  "millrace.config.ts": `import { fetches } from "./fetches.ts"; export default { pipelines: [fetches] };`,
});

afterAll(() => host.close());

const HIDDEN = ["--input", '"/hidden/a"'];

test("R171: a run whose page robots forbid ends skipped with exit 0 and the reason", async () => {
  const { exitCode, stdout, stderr } = await host.call(["run", "fetches", ...HIDDEN, "--json"]);

  expect(exitCode).toBe(0);
  expect(documentOf({ exitCode, stdout, stderr })).toMatchObject({
    run: { state: "skipped", reason: "robots.txt forbids it", warnings: 0 },
    stages: [{ stage: "robots", state: "skipped" }, { state: "skipped" }],
    outputs: {},
    failures: [],
  });
  expect(stderr).toMatch(/skipped/);
});

test("R171: it is final: nothing resumes it, its key starts nothing, and strict finds no warning", async () => {
  const keyed = ["run", "fetches", ...HIDDEN, "--key", "a", "--strict"];
  expect((await host.call(keyed)).exitCode).toBe(0);
  const again = await host.call(keyed);
  const resumed = await host.call(["resume"]);

  expect(again.exitCode).toBe(0);
  expect(again.stderr).toContain("is not run again");
  expect(resumed).toMatchObject({ exitCode: 0 });
  expect(resumed.stderr + resumed.stdout).toContain("nothing to resume");
});

test("R171: in the queue it is neither failed nor done again, and the drain ends with 0", async () => {
  for (const page of ["/hidden/b", "/open"]) {
    await host.call(["queue", "enqueue", "fetches", "--input", JSON.stringify(page)]);
  }
  const drained = await host.call(["queue", "run", "--drain", "--json"]);
  const stats = await host.call(["queue", "stats", "--json"]);

  expect(drained.exitCode).toBe(0);
  expect(documentOf(drained)).toMatchObject({ counts: { skipped: 1, succeeded: 1 }, failures: [] });
  expect(documentOf(stats)["pipelines"]).toMatchObject([{ counts: { skipped: 3, succeeded: 1 } }]);
  expect((await host.call(["queue", "run", "--drain"])).exitCode).toBe(0);
});
