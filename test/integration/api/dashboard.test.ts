// What a dashboard asks besides single runs: reports as files, kinds of failures over runs, the queue in its order, and
// lists of runs in both directions.

import assert from "node:assert/strict";
import { test } from "vitest";
import { input, map, pipeline, stage } from "../../../src/exports/index.ts";
import { makeApiWorld, type ApiWorld, type Document } from "../../support/api-world.ts";

const source = input<{ readonly bad: readonly string[] }>();
const EVIL = "=1+1 <script>alert(1)</script>";
const list = stage("list", { needs: { source } }, ({ source: { bad } }) => ["fine", ...bad]);
const score = map(
  "score",
  { over: list, key: (row) => row, onItemFailure: "continue", tolerate: 0 },
  (row) => {
    if (row !== "fine") throw new Error(`${EVIL} at row ${row.length}`);
    return 1;
  },
);
const told = pipeline("told", { input: source, output: { score } });

async function setup(runs: readonly (readonly string[])[]): Promise<ApiWorld> {
  const world = await makeApiWorld({ pipelines: [told] });
  for (const bad of runs) await world.post("/pipelines/told/runs", { input: { bad } }, 201);
  await world.mill.work({ drain: true });
  return world;
}

test("S32: a report is a file to save in every form but JSON, and its page may run nothing", async () => {
  const { ask, get } = await setup([["ab"]]);
  const json = await get("/runs/1/report?format=json");
  assert.equal(json.failures[0].count, 1);
  const html = await ask("GET", "/runs/1/report?format=html");
  assert.equal(html.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(html.headers.get("content-disposition"), 'attachment; filename="report-1.html"');
  assert.match(html.headers.get("content-security-policy") ?? "", /^sandbox; default-src 'none'/);
  assert.equal(html.headers.get("x-content-type-options"), "nosniff");
  assert.ok(html.text.includes("&lt;script&gt;") && !html.text.includes("<script"), html.text);
  const markdown = await ask("GET", "/runs/1/report?format=md");
  assert.equal(markdown.headers.get("content-type"), "text/markdown; charset=utf-8");
  assert.match(markdown.text, /^# told 1: failed\n/);
  const csv = await ask("GET", "/runs/1/report?format=csv");
  assert.equal(csv.headers.get("content-disposition"), 'attachment; filename="report-1.csv"');
  assert.ok(csv.text.split("\r\n").length > 2, csv.text);
  assert.doesNotMatch(csv.text, /(^|[,"\n])=/);
});

test("a form of a report that is not known is refused", async () => {
  const { refused } = await setup([[]]);
  assert.equal(await refused("GET", "/runs/1/report?format=pdf", { status: 422 }), "BODY_INVALID");
});

test("what failed is grouped by fingerprint over runs, stages and items, and counts once, where it happened", async () => {
  const { get } = await setup([["ab", "abc"], [], ["abcd"]]);
  const { complete, total, groups } = await get("/failures");
  assert.deepEqual([complete, total], [true, 1]);
  const [group] = groups;
  assert.deepEqual(
    [group.pipeline, group.stage, group.class, group.count, group.runs, group.items],
    ["told", "score", "unknown", 3, 2, 3],
  );
  assert.deepEqual(group.places, [{ pipeline: "told", stage: "score", count: 3 }]);
  assert.deepEqual([group.sample.name, group.sample.item], ["3", "abcd"]);
  assert.equal(group.message, `${EVIL} at row 4`);
  assert.ok(group.firstAt <= group.lastAt);

  const kind = await get(`/failures/${group.fingerprint}?limit=2`);
  assert.deepEqual(kind.group, group);
  assert.deepEqual(
    kind.failures.map((each: Document) => [each.name, each.item]),
    [
      ["3", "abcd"],
      ["1", "abc"],
    ],
  );
});

test("a kind of failure is muted with who and why, stays listed, and is unmuted by hand", async () => {
  const { get, post, refused } = await setup([["ab"]]);
  const [{ fingerprint, status, trend }] = (await get("/failures")).groups;
  assert.deepEqual([status, trend.length, trend.at(-1) + trend.at(-2)], ["new", 24, 1]);

  const path = `/failures/${fingerprint}`;
  const muted = await post(`${path}/mute`, { reason: "known" });
  assert.deepEqual([muted.changed, muted.group.status], [true, "muted"]);
  assert.deepEqual((await get("/failures")).groups, [muted.group]);
  assert.equal(muted.group.mute.reason, "known");
  const [event] = (await get("/events?types=failure.*")).events;
  assert.deepEqual([event.type, event.data.fingerprint], ["failure.muted", fingerprint]);
  assert.equal((await post(`${path}/mute`, { reason: "again" })).changed, false);
  assert.equal((await post(`${path}/unmute`, {})).group.status, "new");

  const unknown = { status: 404, body: { reason: "known" } };
  assert.equal(await refused("POST", "/failures/0123/mute", unknown), "RUN_NOT_FOUND");
  assert.equal(await refused("POST", `${path}/mute`, { status: 422, body: {} }), "BODY_INVALID");
});

test("groups are of one pipeline and of one time where that is asked, and a fingerprint that is not known is refused", async () => {
  const { get, refused } = await setup([["ab"]]);
  assert.equal((await get("/failures?pipeline=other")).total, 0);
  assert.equal((await get("/failures?since=1h")).total, 1);
  assert.equal((await get("/failures?since=2999-01-01")).total, 0);
  assert.equal(await refused("GET", "/failures/0123", { status: 404 }), "RUN_NOT_FOUND");
});

test("the queue is listed in the order of claims, page by page, each run with how many of its pipeline are ahead", async () => {
  const other = pipeline("other", { input: source, output: { list } });
  const { get, post, refused } = await makeApiWorld({ pipelines: [told, other] });
  for (const [name, priority] of [
    ["told", 0],
    ["other", 0],
    ["told", 2],
    ["told", -1],
    ["other", 1],
    ["told", 0],
  ] as const)
    await post(`/pipelines/${name}/runs`, { input: { bad: [] }, priority }, 201);

  const seen: (readonly [string, number])[] = [];
  let path: string | undefined = "/queue?limit=2";
  while (path !== undefined) {
    const page: Document = await get(path);
    for (const { run, ahead } of page.queued) seen.push([run.name, ahead]);
    path = page.nextCursor === undefined ? undefined : `/queue?limit=2&cursor=${page.nextCursor}`;
  }
  assert.deepEqual(seen, [
    ["3", 0],
    ["5", 0],
    ["1", 1],
    ["2", 1],
    ["6", 2],
    ["4", 3],
  ]);
  const own = await get("/queue?pipeline=other");
  assert.deepEqual(
    own.queued.map((each: Document) => each.run.name),
    ["5", "2"],
  );
  assert.equal(await refused("GET", "/queue?cursor=x", { status: 422 }), "OPTION_INVALID");
});
