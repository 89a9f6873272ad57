// Hostile text in every place that takes text: names, keys, errors, log lines, reports from outside. It stays text in
// reports, on the page of the API, in tables for spreadsheets, in log lines and on a terminal.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { command, map, pipeline, stage } from "../../src/exports/index.ts";
import { runCommand } from "../../src/engine/executors/subprocess.ts";
import { ALL_ROUTES } from "../../src/http/all-routes.ts";
import { renderApiPage } from "../../src/http/api-page.ts";
import { STREAM_ROUTES } from "../../src/http/live/live-stream.ts";
import { makeReport } from "../../src/service/report/make-report.ts";
import { systemClock } from "../../src/std/clock.ts";
import { makeDurableWorld } from "../support/durable/durable-world.ts";
import { documentOf, startHost, type Host } from "../support/host.ts";
import { makeHttpWorld } from "../support/http-world.ts";

const PAYLOADS = [
  `<script>alert(1)</script>`,
  `<img src=x onerror=alert(1)>`,
  `"><svg/onload=alert(1)>`,
  `' autofocus onfocus='alert(1)`,
  `[link](javascript:alert(1))`,
  `</td></table></html><iframe srcdoc="<b>">`,
  `\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007`,
  `\u001b[2J\u001b[31mred`,
  `line\r\n{"level":"error","message":"forged"}`,
  `\u202egnp.exe`,
  `=HYPERLINK("https://evil.example")`,
  `@SUM(1+1)*cmd|' /C calc'!A0`,
];

const evil = PAYLOADS.join(" ");

/** Control characters are refused in keys. */
const toKey = (text: string): string => text.replaceAll(/\p{Cc}/gu, "");

function makeHostile() {
  const each = map(
    "each",
    { over: PAYLOADS, key: toKey, onItemFailure: "continue", tolerate: 100 },
    (text, _needs, ctx) => {
      ctx.log.warn(text, { [text]: text });
      ctx.emit(text, { text });
      ctx.progress(1, 2, text);
      throw Object.assign(new TypeError(text), { code: text, url: `javascript:${text}` });
    },
  );
  const after = stage("after", { needs: { each } }, () => {
    throw new Error(evil);
  });
  return pipeline("hostile", { output: { after }, failFast: false });
}

/** Tags and attributes that our own pages have. Whatever else opens with `<` came from outside. */
const OUR_TAGS =
  /<\/?(?:html|head|meta|title|style|link|body|header|main|nav|section|article|small|code|p|a|h[123]|dl|dt|dd|div|table|thead|tbody|tr|th|td|svg|rect)(?: (?:lang|charset|http-equiv|content|name|class|id|rel|href|viewBox|preserveAspectRatio|role|aria-label|x|y|width|height)="[^"<>]*")*\/?>|<!doctype html>/g;

function checkHtml(html: string): void {
  const rest = html.replaceAll(OUR_TAGS, "");
  expect(rest).not.toMatch(/[<>]/);
  const [tags] = [html.match(OUR_TAGS)?.join("\n") ?? ""];
  expect(tags).not.toMatch(/javascript:|data:|\bon\w+=|https?:/i);
  expect(html.replaceAll("\n", "")).not.toMatch(/\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u);
}

test("S31: names, keys, errors and log lines stay text in reports as HTML, Markdown and CSV", async () => {
  const hostile = makeHostile();
  const { mill } = await makeHttpWorld(ALL_ROUTES, { pipelines: [hostile] });
  const result = await (
    await mill.start(hostile, undefined, { tags: { team: evil.slice(0, 200) } })
  ).result();
  expect(result.errors).toHaveLength(PAYLOADS.length + 1);
  const questions = [
    { kind: "run", run: result.id },
    { kind: "period", sinceMs: 0 },
    { kind: "compare", before: result.id, after: result.id },
  ] as const;
  for (const question of questions) {
    const made = await makeReport(mill.store, question);
    checkHtml(made.layOut("html").replace(/<style>[^<]*<\/style>/, ""));
    const markdown = made.layOut("md");
    expect(markdown).not.toMatch(/(?<!\\)[<[]|^\s*(?:javascript|data):/im);
    expect(markdown).not.toMatch(/(?!\n)\p{Cc}/u);
    for (const field of made.layOut("csv").split(/\r\n|,/))
      expect(field).not.toMatch(/^"?[=+\-@]\D/);
  }
  const [report] = [await makeReport(mill.store, { kind: "run", run: result.id })];
  expect(report.layOut("html")).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
});

test("S31: on the page of the API text of any kind is text", () => {
  const field = {
    name: evil,
    place: "query" as const,
    isRequired: true,
    type: evil,
    description: evil,
  };
  const route = {
    method: "GET",
    path: evil,
    role: evil,
    summary: evil,
    fields: [field],
    answer: evil,
  };
  const page = renderApiPage([{ name: evil, routes: [route] }], evil);
  expect(page.replaceAll(OUR_TAGS, "")).not.toMatch(/[<>]/);
  expect(page).toContain("&lt;script&gt;");
  expect(page).not.toMatch(/<script|<img|<iframe/);
});

test("S32: no answer renders on our origin: JSON, figures and the page of the API are all there is, or it is a download", async () => {
  const hostile = makeHostile();
  const { mill, ask } = await makeHttpWorld(ALL_ROUTES, { pipelines: [hostile] });
  const { id } = await (await mill.start(hostile, undefined)).result();
  const streams = new Set(STREAM_ROUTES.map(({ path }) => path));
  const paths = ALL_ROUTES.filter(({ method, path }) => method === "GET" && !streams.has(path)).map(
    ({ path }) =>
      path
        .replace("{run}", id)
        .replace("{stage}", "each")
        .replace("{key}", encodeURIComponent(PAYLOADS[0] ?? ""))
        .replace("{name}", "hostile")
        .replace("{id}", "1"),
  );
  const forms = ["md", "html", "csv"].map((form) => `/api/v1/runs/${id}/report?format=${form}`);
  let answered = 0;
  for (const path of [...paths, ...forms]) {
    const { status, headers } = await ask("GET", path);
    if (status === 200) answered += 1;
    expect(headers.get("x-content-type-options"), path).toBe("nosniff");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy, path).toMatch(/default-src 'none'|sandbox/);
    const type = headers.get("content-type") ?? "";
    const allowed = policy.startsWith("sandbox;")
      ? /unsafe-eval|\*/
      : /unsafe-inline|unsafe-eval|\*/;
    expect(policy, path).not.toMatch(allowed);
    if (/^(?:application\/json|text\/plain)/.test(type)) continue;
    if (path === "/api" || path === "/api/page.css") continue;
    expect(headers.get("content-disposition"), path).toMatch(/^attachment/);
    expect(policy, path).toContain("sandbox");
  }
  expect(answered).toBeGreaterThan(20);
});

const QUERIES = [
  "/runs?pipeline=%s",
  "/runs?state=%s",
  "/runs?tag=%s",
  "/runs?tag=team=%s",
  "/runs?batch=%s",
  "/runs?fingerprint=%s",
  "/runs?cursor=%s",
  "/runs?sort=%s",
  "/runs/%s",
  "/runs/RUN/stages/%s",
  "/runs/RUN/stages/each/items?state=%s",
  "/runs/RUN/stages/each/items?search=%s",
  "/runs/RUN/stages/each/items?cursor=%s",
  "/runs/RUN/stages/each/items/%s",
  "/runs/RUN/logs?text=%s",
  "/runs/RUN/events?type=%s",
  "/history?pipeline=%s",
  "/events?type=%s",
  "/resources/%s",
  "/schedules/%s/ticks",
  "/batches/%s",
  "/definitions/%s",
];

test("S22: SQL in any parameter is a value or a refusal, and changes nothing", async () => {
  const hostile = makeHostile();
  const { mill, ask } = await makeHttpWorld(ALL_ROUTES, {
    pipelines: [hostile],
    open: { store: makeDurableWorld("sqlite").url },
  });
  const { id } = await (await mill.start(hostile, undefined)).result();
  const before = (await ask("GET", "/api/v1/runs")).text;
  const values = [
    `' OR '1'='1`,
    `"; DROP TABLE runs; --`,
    `x' UNION SELECT sql FROM sqlite_master --`,
    `%_%`,
    `a* NEAR(b, 1) OR "`,
    `$.x') OR json_extract(1,'$`,
    `x\u0000y`,
  ];
  for (const query of QUERIES) {
    for (const value of values) {
      const path = query.replace("RUN", id).replace("%s", encodeURIComponent(value));
      const { status, text } = await ask("GET", `/api/v1${path}`);
      expect([200, 400, 404, 422], `${path}: ${text.slice(0, 200)}`).toContain(status);
      expect(text).not.toMatch(/CREATE TABLE|SQLITE_|syntax error|no such column|near \\"/);
    }
  }
  expect((await ask("GET", "/api/v1/runs")).text).toBe(before);
});

let host: Host;
beforeAll(() => {
  host = startHost({
    "hostile.ts": `
import { definePipeline } from "millrace";
const payloads = ${JSON.stringify(PAYLOADS)};
export const hostile = definePipeline({
  name: "hostile",
  failFast: false,
  stages: [
    { id: "each", over: () => payloads, onItemFailure: "continue", tolerate: 0, run: (text, _needs, ctx) => {
      ctx.log.warn(text, { [text]: text });
      console.log(text);
      throw new Error(text);
    } },
  ],
});
`,
  });
});
afterAll(() => host.close());

test("S34: line ends, escapes and marks that turn the line make one record per line, and nothing that a terminal obeys", async () => {
  const asked = ["run", "hostile.ts", "--log-file", "log.txt", "--log", "json"];
  const { stdout, stderr } = await host.call([...asked, "--json"]);
  documentOf({ exitCode: 1, stdout, stderr });
  const records = stderr.split("\n").filter((line) => line.startsWith("{"));
  expect(records.length).toBeGreaterThan(PAYLOADS.length * 2);
  for (const line of records) {
    const record: unknown = JSON.parse(line);
    // A line that was forged would be a record of its own, without what ours have.
    expect(record).toHaveProperty("type");
  }
  const [, run = ""] = /"id": "([0-9a-f-]{36})"/.exec(stdout) ?? [];
  const shown = [stdout, stderr, readFileSync(join(host.folder, "log.txt"), "utf8")];
  for (const verb of [
    ["show", run],
    ["why", run],
    ["logs", run],
    ["logs", run, "--json"],
    ["items", `${run}/each`],
  ]) {
    const answer = await host.call(verb);
    shown.push(answer.stdout, answer.stderr);
  }
  for (const text of shown) {
    expect(text).not.toMatch(/(?![\n\t])\p{Cc}|[\u200e\u200f\u202a-\u202e\u2066-\u2069]/u);
    expect(text).not.toMatch(/^\s*\{"level":"error","message":"forged"\}/m);
  }
});

const ENVIRONMENT = { PATH: process.env["PATH"], HOME: "/nowhere" };

test("S25: of endless, binary and forged output of a child a bounded and harmless part is kept", async () => {
  const script = `
    const block = Buffer.alloc(1 << 20, "a");
    const more = (left) => left > 0 && process.stdout.write(block, () => more(left - 1));
    more(256);
    process.stdout.write("\\n\\u001b[2J\\u001b]0;owned\\u0007\\n");
    process.stderr.write(Buffer.from([0xff, 0xfe, 0, 10]));
    process.stderr.write('{"level":"error","message":"forged"}\\n{"millrace":"progress","done":1}\\n');
    process.exitCode = 1;`;
  const noisy = command("noisy", { argv: [process.execPath, "-e", script] });
  const loud = pipeline("loud", { output: { noisy } });
  const shape = loud.definition.stages[0]?.command;
  if (shape === null || shape === undefined) throw new Error("no command");
  const before = process.memoryUsage.rss();
  const result = await runCommand({
    shape,
    needs: {},
    signal: new AbortController().signal,
    runId: "run",
    stage: "noisy",
    attempt: 1,
    clock: systemClock,
    environment: ENVIRONMENT,
    listener: {},
  });
  expect(process.memoryUsage.rss() - before).toBeLessThan(128 * 1024 * 1024);
  expect(result.kind).toBe("failed");
  const kept = JSON.stringify([result.stdoutTail, result.stderrTail]);
  expect(kept.length).toBeLessThan(200_000);
  expect(result.kind === "failed" && result.error.message).not.toMatch(/(?!\n)\p{Cc}/u);

  const { mill } = await makeHttpWorld(ALL_ROUTES, {
    pipelines: [loud],
    open: { environment: ENVIRONMENT },
  });
  const run = await (await mill.start(loud, undefined)).result();
  const events = await mill.store.listEvents({ after: 0, limit: 1_000 });
  const logged = events.filter(({ type }) => type === "stage.logged");
  // What it printed is the content of one event of its stage, whatever it looks like.
  expect(logged).toMatchObject([
    { run: run.id, stage: "noisy", attempt: 1, data: { level: "error" } },
  ]);
  expect(JSON.stringify(logged).length).toBeLessThan(100_000);
});
