// Compile-only: every inference that the public API promises, good and bad. Nothing here runs.

import { command, map, stage } from "../../src/model/stage/stage.ts";
import { input, provided, required } from "../../src/model/stage/need.ts";
import type { MapValue, StageValue } from "../../src/model/stage/need.ts";
import { skip, type ItemOutcome, type Settled } from "../../src/model/outcome.ts";

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function expectType<T extends true>(): T | undefined {
  return undefined;
}
type Shot = { png: string };
type Row = { id: string; n: number };

const source = input<{ url: string; pictures: boolean }>();
const page = stage(
  "fetch",
  { needs: { source }, retry: { attempts: 4, initialDelay: "200ms" } },
  async ({ source }, ctx) => {
    expectType<Equal<typeof source, { url: string; pictures: boolean }>>();
    expectType<Equal<typeof ctx.attempt, number>>();
    return source.url;
  },
);
expectType<Equal<typeof page, StageValue<string, false>>>();

const rows = stage("parse", { needs: { page } }, ({ page }): Row[] => [{ id: page, n: 1 }]);
const scored = map(
  "score",
  { over: rows, key: (row) => row.id, concurrency: 8 },
  async (row, _needs, ctx) => {
    expectType<Equal<typeof row, Row>>();
    return row.n + ctx.attempt;
  },
);
expectType<Equal<typeof scored, MapValue<readonly number[], false, number>>>();

const thumb = stage("thumb", { needs: { page }, critical: false }, async (): Promise<Shot> => ({
  png: "",
}));
expectType<Equal<typeof thumb, StageValue<Shot, true>>>();

const saved = stage("save", { needs: { scored, thumb } }, ({ scored, thumb }) => {
  expectType<Equal<typeof scored, readonly number[]>>();
  expectType<Equal<typeof thumb, Settled<Shot>>>();
  // @ts-expect-error a soft need is not its plain value
  void thumb.png;
  return thumb.value?.png;
});
expectType<Equal<typeof saved, StageValue<string | undefined, false>>>();

const conditional = stage(
  "cond",
  { needs: { page }, when: ({ page }) => page.length > 3 },
  ({ page }) => page.length,
);
expectType<Equal<typeof conditional, StageValue<number, true>>>();

const skipping = stage("skipping", { needs: { page }, skips: true }, ({ page }) =>
  page === "" ? skip("empty") : 5,
);
expectType<Equal<typeof skipping, StageValue<5, true>>>();

// @ts-expect-error a stage that returns skip(...) declares it
stage("undeclared", { needs: { page } }, ({ page }) => (page === "" ? skip("empty") : 5));
stage("soft anyway", { needs: { page }, critical: false }, ({ page }) =>
  page === "" ? skip("empty") : 5,
);

const cleanup = stage(
  "cleanup",
  { needs: { page, scored, source }, trigger: "all_done" },
  (needs) => {
    expectType<Equal<typeof needs.page, Settled<string>>>();
    expectType<Equal<typeof needs.scored, Settled<readonly number[]>>>();
    expectType<Equal<typeof needs.source, { url: string; pictures: boolean }>>();
    return 1;
  },
);
expectType<Equal<typeof cleanup, StageValue<number, true>>>();

const hard = stage("hard", { needs: { thumb: required(thumb) } }, ({ thumb }) => thumb.png);
expectType<Equal<typeof hard, StageValue<string, true>>>();

const listed = stage("listed", { needs: { parts: [page, thumb, rows] } }, ({ parts }) => {
  expectType<Equal<typeof parts, readonly [string, Settled<Shot>, Row[]]>>();
  return parts.length;
});
expectType<Equal<typeof listed, StageValue<3, false>>>();

const llm = provided<{ ask(q: string): Promise<string> }>("llm");
const asked = stage("ask", { needs: { llm, page } }, ({ llm, page }) => llm.ask(page));
expectType<Equal<typeof asked, StageValue<string, false>>>();

const tolerant = map(
  "tolerant",
  { over: rows, onItemFailure: "continue", tolerate: "10%" },
  (row) => row.n,
);
expectType<Equal<typeof tolerant, MapValue<readonly ItemOutcome<number>[], false, number>>>();
const chained = map("chained", { over: tolerant, onItemFailure: "continue" }, (n) => {
  expectType<Equal<typeof n, number>>();
  return String(n);
});
expectType<Equal<typeof chained, MapValue<readonly ItemOutcome<string>[], false, string>>>();

const literal = map("literal", { over: ["a", "b"] as const }, (word) => {
  expectType<Equal<typeof word, "a" | "b">>();
  return word.length;
});
void literal;
const streamed = map(
  "streamed",
  {
    needs: { page },
    over: async function* ({ page }) {
      yield { id: page, n: 1 };
    },
    key: (item) => item.id,
  },
  (item, { page }) => {
    expectType<Equal<typeof page, string>>();
    return item.n;
  },
);
expectType<Equal<typeof streamed, MapValue<readonly number[], false, number>>>();

// @ts-expect-error a soft list needs required()
map("soft list", { over: stage("maybe", { when: () => true }, (): Row[] => []) }, (row) => row);
map(
  "required list",
  { over: required(stage("maybe", { when: () => true }, (): Row[] => [])) },
  (row) => row.id,
);
// @ts-expect-error a text is no list
map("text", { over: page }, (item) => item);
// @ts-expect-error unknown needs have no type
stage("unknown need", { needs: { page } }, ({ pages }) => pages);
// @ts-expect-error unknown trigger
stage("bad trigger", { needs: { page }, trigger: "sometimes" }, () => 1);
// @ts-expect-error misspelt option
stage("bad option", { needs: { page }, timeuot: "3s" }, () => 1);
// @ts-expect-error a number of seconds without unit is no duration
stage("bad duration", { needs: { page }, timeout: "30" }, () => 1);

const listing = command("ls", { needs: { page }, argv: ({ page }) => ["ls", page], parse: "text" });
expectType<Equal<typeof listing, StageValue<string, false>>>();
const maybe = command("maybe", { argv: ["true"], parse: "json", skipOn: { exitCode: 3 } });
expectType<Equal<typeof maybe, StageValue<unknown, true>>>();
const verified = stage(
  "verified",
  { needs: { page }, verify: (output: number) => void output.toFixed() },
  ({ page }) => page.length,
);
expectType<Equal<typeof verified, StageValue<number, false>>>();

const cached = stage(
  "cached",
  { needs: { page }, cache: { ttl: "7d", key: ({ page }) => page.toUpperCase() } },
  ({ page }) => page.length,
);
expectType<Equal<typeof cached, StageValue<number, false>>>();
map(
  "cached items",
  { over: [{ id: 1 }], cache: { key: (row) => String(row.id) } },
  (row) => row.id,
);
command("cached command", { needs: { page }, argv: ["true"], cache: { key: ({ page }) => page } });
// @ts-expect-error a key is text
stage("bad key", { needs: { page }, cache: { key: ({ page }) => page.length } }, () => 1);
// @ts-expect-error a ttl has a unit
stage("bad ttl", { cache: "7" }, () => 1);
