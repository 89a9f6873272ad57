import { expect, test } from "vitest";
import { findCandidates, type Candidate, type NameSources } from "./find-candidates.ts";

const named = (...words: readonly string[]): Promise<readonly Candidate[]> =>
  Promise.resolve(words.map((word) => ({ word, about: "" })));

const sources: NameSources = {
  pipelines: () => named("crawl", "prices"),
  stages: (of) =>
    "run" in of ? named(`of-${of.run}`) : named("fetch", `of-${of.pipeline ?? "only"}`),
  schedules: () => named("nightly", "quarter"),
  resources: () => named("api", "bad name"),
  runs: () => named("7f3k", "7f3m"),
};

async function complete(line: string): Promise<readonly string[]> {
  const found = await findCandidates(line.split(" "), sources);
  return found.map(({ word }) => word);
}

test.each<[string, readonly string[]]>([
  ["resu", ["resume"]],
  ["schedule ena", ["enable"]],
  ["run c", ["crawl"]],
  ["queue enqueue p", ["prices"]],
  ["run crawl --only f", ["fetch"]],
  ["run crawl --only fetch,of", ["fetch,of-crawl"]],
  ["run --until of", ["of-only"]],
  ["resume 7f3k --from o", ["of-7f3k"]],
  ["show 7", ["7f3k", "7f3m"]],
  ["show la", ["last"]],
  ["items 7f3k/", ["7f3k/of-7f3k"]],
  ["cancel 7f3k 7f3m", ["7f3m"]],
  ["--store memory: schedule disable n", ["nightly"]],
  ["resources set ", ["api"]],
  ["runs --state fa", ["failed"]],
  ["worker --pipelines crawl,p", ["crawl,prices"]],
  ["config print worker.le", ["worker.lease"]],
  ["completion b", ["bash"]],
  ["run --no", ["--no-retry"]],
  ["run --log l", ["live", "lines"]],
  ["gc anything ", []],
])("%s", async (line, expected) => {
  expect(await complete(line)).toEqual(expected);
});

test("nothing that is hidden, and nothing that a shell would take apart, is offered", async () => {
  const first = await complete("");
  expect(first).toContain("config");
  expect(first).not.toContain("complete");
  expect(await complete("config ")).toEqual(["print", "validate", "schema"]);
  expect(await complete("resources list ")).toEqual(["api"]);
});
