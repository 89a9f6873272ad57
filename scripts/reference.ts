// Writes the reference pages that follow from the code: errors, events, defaults and limits, states. With
// `--check` it writes nothing and fails where a page is stale.

import { readFileSync, writeFileSync } from "node:fs";
import { EPHEMERAL_EVENT_TYPES, STORED_EVENT_TYPES } from "../src/model/event.ts";
import { ERROR_CODES } from "../src/model/errors.ts";
import { listRunMoves, listStageMoves } from "../src/model/transition.ts";
import { exitCodeOf } from "../src/cli/exit-code.ts";
import { ALL_ROUTES } from "../src/http/all-routes.ts";
import { toOutline, type OutlineField, type OutlineRoute } from "../src/http/api-outline.ts";
import { makeOpenApi } from "../src/http/openapi.ts";
import { ERROR_MEANINGS } from "./error-meanings.ts";

/** A page and what it should say. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

const NOTE = "<!-- Written by `npm run reference`; change the code, not this page. -->\n";

/** Every generated page. */
export function makePages(): readonly Page[] {
  return [
    { path: "docs/reference/errors.md", text: makeErrors() },
    { path: "docs/reference/events.md", text: makeEvents() },
    { path: "docs/reference/api.md", text: makeApi() },
    { path: "docs/reference/defaults.md", text: makeDefaults() },
    { path: "docs/concepts/states.md", text: makeStates() },
  ];
}

function makeErrors(): string {
  const rows = ERROR_CODES.map(
    (code) => `| \`${code}\` | ${exitCodeOf(code)} | ${ERROR_MEANINGS[code]} |`,
  );
  return [
    "# Errors",
    "",
    NOTE,
    "Every operating fault is a `MillraceError` with `code`, `message`, `hint`, `next` (a command that works as it",
    "stands), `retryable` and `details`. Tell them apart by `code`; `isMillraceError(error)` recognises those of",
    "another copy of the package too. Failures of your own code are not thrown: they are in the run's result.",
    "",
    "| Code | Exit code of the command | Meaning |",
    "| --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** Fields of each event, from the head comment of `src/model/event.ts`. */
function readEventFields(): readonly string[] {
  const source = readFileSync("src/model/event.ts", "utf8");
  const start = source.indexOf("// Fields of `data` by type");
  const end = source.indexOf("// Item events carry", start);
  return source
    .slice(start, end)
    .split("\n")
    .slice(1)
    .map((line) => line.replace(/^\/\/\s*/, "").trim())
    .filter((line) => line !== "")
    .map((line) => {
      const [, types = line, fields = ""] = /^(.+?)\s{2,}(.*)$/.exec(line) ?? [];
      return `| \`${types}\` | ${fields.replaceAll("|", "\\|")} |`;
    });
}

function makeEvents(): string {
  return [
    "# Events",
    "",
    NOTE,
    "Everything that happens is told as an event: `run.onEvent(listener)`, `for await (const event of run.events())`,",
    "or `onEvent` of a run in memory; of all runs and processes by `mill.events(...)`. An event has `seq` (number in",
    "the store), `runSeq` (gap-free over the stored events of a run), `atMs`, `type`, `run` and, where they apply,",
    "`stage`, `item`, `attempt` and `data`.",
    "",
    "Stored with the change they tell, in the same transaction:",
    "",
    ...STORED_EVENT_TYPES.map((type) => `- \`${type}\``),
    "",
    "Live only, numbered 0:",
    "",
    ...EPHEMERAL_EVENT_TYPES.map((type) => `- \`${type}\``),
    "",
    "## Fields of `data`",
    "",
    "| Types | Fields |",
    "| --- | --- |",
    ...readEventFields(),
    "",
    "Item events carry `index` besides; there is one of each item that failed. What a person does to a resource belongs to",
    "no run: `run` is empty then, and `runSeq` 0.",
    "",
  ].join("\n");
}

function makeApi(): string {
  const document = makeOpenApi(ALL_ROUTES, { version: "", basePath: "" });
  return [
    "# HTTP API",
    "",
    NOTE,
    "Every route of `millrace serve`, with the role that it asks for. The same as an OpenAPI 3.1 document:",
    "`GET /api/v1/openapi.json`; as a page: `GET /api`. How to use it stands in the [guide](../guides/api.md), codes of",
    "refusals among the [errors](errors.md).",
    "",
    ...toOutline(document).flatMap(({ name, routes }) => [
      `## ${name}`,
      "",
      ...routes.flatMap(makeRoute),
    ]),
  ].join("\n");
}

function makeRoute({ method, path, role, summary, fields, answer }: OutlineRoute): string[] {
  const told = answer === "" ? "" : ` Answers \`${answer}\`.`;
  const rows = fields.map(
    ({ name, place, isRequired, type, description }: OutlineField) =>
      `| \`${name}\` | ${place}${isRequired ? ", required" : ""} | ${escapeCell(type)} | ${escapeCell(description)} |`,
  );
  const table =
    rows.length === 0
      ? []
      : ["| Name | Where | Type | Meaning |", "| --- | --- | --- | --- |", ...rows, ""];
  const start = summary.charAt(0).toUpperCase() + summary.slice(1);
  return [`### \`${method} ${path}\``, "", `For ${role}. ${start}.${told}`, "", ...table];
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|");
}

/** One row per exported constant, with the comment above it. */
function readConstants(path: string): readonly string[] {
  const source = readFileSync(path, "utf8");
  const found = source.matchAll(
    /\/\*\* ([^*]*(?:\*(?!\/)[^*]*)*)\*\/\nexport const (\w+)(?:: \w+)? = ([^;]+);/g,
  );
  return [...found].map(([, comment = "", name = "", value = ""]) => {
    const text = comment.replaceAll(/\s*\n\s*\*\s*/g, " ").trim();
    return `| \`${name}\` | \`${value.trim()}\` | ${text.replaceAll("|", "\\|")} |`;
  });
}

function makeDefaults(): string {
  return [
    "# Defaults and limits",
    "",
    NOTE,
    "## Defaults",
    "",
    "| Name in the code | Value | Meaning |",
    "| --- | --- | --- |",
    ...readConstants("src/model/defaults.ts"),
    "",
    "## Limits",
    "",
    "| Name in the code | Value | Meaning |",
    "| --- | --- | --- |",
    ...readConstants("src/model/limits.ts"),
    "",
  ].join("\n");
}

function makeStates(): string {
  return [
    "# States",
    "",
    NOTE,
    "A run, a stage and an item are each in exactly one state; this is every move that is possible. Any other is",
    "refused (`RUN_MOVE_ILLEGAL`), and the message names both states.",
    "",
    "## Runs",
    "",
    "A `waiting` run always has a reason; `interrupted` means that its process ended and it waits for `resume`.",
    "Only `resume` opens a failed or cancelled run again, under the next epoch.",
    "",
    ...drawMoves(listRunMoves()),
    "",
    "## Stages and items",
    "",
    "Only `resume` sets a stage or item back to `pending`.",
    "",
    ...drawMoves(listStageMoves()),
    "",
  ].join("\n");
}

function drawMoves(moves: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const arrows = Object.entries(moves).flatMap(([from, targets]) =>
    targets.map((to) => `  ${from} --> ${to}`),
  );
  const final = Object.entries(moves).flatMap(([from, targets]) =>
    targets.length === 0 ? [`  ${from} --> [*]`] : [],
  );
  return ["```mermaid", "stateDiagram-v2", ...arrows, ...final, "```"];
}

if (import.meta.main) {
  const stale = makePages().filter(({ path, text }) => read(path) !== text);
  if (process.argv.includes("--check")) {
    for (const { path } of stale) console.error(`${path} is stale; run: npm run reference`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else {
    for (const { path, text } of stale) {
      writeFileSync(path, text);
      console.log(`wrote ${path}`);
    }
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
