// What the pages on load and soak say of commands, limits and bounds is so.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { SHED_AFTER_MS_DEFAULT, SHED_LOOP_DELAY_MS_DEFAULT } from "../../src/model/defaults.ts";
import {
  FEED_SILENT_MS_MAX,
  FEED_UNSENT_BYTES_MAX,
  HTTP_CONNECTIONS_MAX,
} from "../../src/model/limits.ts";
import { makeBounds } from "../soak/bounds.ts";

const load = readFileSync("docs/operating/load.md", "utf8");
const soak = readFileSync("docs/operating/soak.md", "utf8");

test("every command of the pages on load and soak is a script, with a question and flags that exist", () => {
  const manifest: { scripts: Record<string, string> } = JSON.parse(
    readFileSync("package.json", "utf8"),
  );
  const questions = readFileSync("bench/main.ts", "utf8");
  const program = readFileSync("test/soak/main.ts", "utf8");
  const commands = [
    ...`${load}${soak}`.matchAll(/npm run (\w+)(?: -- ([^`\n]*?))?(?=`| {2,}|\n)/g),
  ];
  expect(commands.length).toBeGreaterThan(6);
  for (const [, script = "", words = ""] of commands) {
    expect(Object.keys(manifest.scripts)).toContain(script);
    for (const [, flag = ""] of words.matchAll(/--(\w+)/g)) expect(program).toContain(`${flag}: {`);
    if (script === "bench") expect(questions).toContain(`./questions/${words}.ts`);
  }
});

test("the page on load names the limits that hold", () => {
  expect(load).toContain(`more than ${SHED_LOOP_DELAY_MS_DEFAULT} ms late`);
  expect(SHED_AFTER_MS_DEFAULT, "five seconds on end").toBe(5_000);
  expect(load).toContain(`${HTTP_CONNECTIONS_MAX.toLocaleString("en")} connections`);
  expect(load).toContain(`at most ${FEED_UNSENT_BYTES_MAX / 2 ** 20} MiB`);
  expect(load).toContain(`nothing for ${FEED_SILENT_MS_MAX / 1_000} s`);
});

test("the page on the soak names the bounds that are judged by", () => {
  const rows = soak.split("\n").filter((line) => line.startsWith("| `"));
  const cells = rows.map((row) => row.split("|").map((cell) => cell.trim()));
  const told = cells
    .map(([, , , grown, most]) => `${grown} ${most}`)
    .filter((text) => text !== " ");
  const bounds = makeBounds(1_000).map(({ key, grownMax, atMost }) =>
    key === "depth" ? `${grownMax / 1_000} s of load ${atMost / 1_000} s` : `${grownMax} ${atMost}`,
  );
  // Handles and files share a line.
  expect(told).toEqual([...new Set(bounds)]);
});
