// The live form as a person sees it: the real command in a real pseudo-terminal, read through a terminal in
// memory. What is asserted is the screen.

import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { blockRowsMax } from "../../src/cli/render/live/painter.ts";
import { COMMAND, makeProject } from "../support/command.ts";
import { startInPty, type PtyRunning } from "../support/pty-command.ts";
import type { Screen } from "../support/screen.ts";

const BROAD = "pipelines/wide.ts#broad";
const GATED = "pipelines/gated.ts#gated";

/** The block as the screen shows it: from the rule down. */
function blockOf(screen: Screen): string[] {
  const shown = screen.shown();
  const rule = shown.findLastIndex((line) => /^─+$/.test(line));
  const last = shown.findLastIndex((line) => line !== "");
  return rule === -1 ? [] : shown.slice(rule, last + 1);
}

function expectGivenBack({ screen }: PtyRunning): void {
  expect(screen.isCursorVisible).toBe(true);
  expect(screen.isWrapping).toBe(true);
  expect(screen.isAlternate).toBe(false);
  expect(screen.whole().filter((line) => /^─+$/.test(line))).toEqual([]);
}

describe.each([
  [80, 24],
  [120, 40],
])("at %d×%d", (columns, rows) => {
  test("the block is bounded, permanent lines come once, the cursor comes back", async () => {
    const project = makeProject();
    const running = startInPty({ folder: project.folder, columns, rows }, "run", BROAD);
    await running.shows(/step-\d+ .*\n[^]*slots 30\/32/);
    expect(blockOf(running.screen).length).toBeLessThanOrEqual(blockRowsMax(rows));
    expect(running.screen.isCursorVisible).toBe(false);
    project.touch("early");
    await running.shows("✓ 11 succeeded");
    expect(blockOf(running.screen).length).toBeLessThanOrEqual(blockRowsMax(rows));
    project.touch("late");
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    expectGivenBack(running);
    const whole = running.screen.whole();
    for (let index = 0; index < 30; index++) {
      expect(whole.filter((line) => line.startsWith(`✓ step-${index} `))).toHaveLength(1);
    }
    expect(whole[0]).toMatch(/^millrace {2}broad {2}run 1 {2}sqlite:/);
    expect(whole.join("\n")).toMatch(/✓ succeeded {2}broad 1 in /);
  });

  test("Ctrl-C says what happens and how to go on; the terminal is given back", async () => {
    const project = makeProject();
    project.touch("mended");
    const running = startInPty({ folder: project.folder, columns, rows }, "run", GATED);
    await running.shows(/press {2}3\/4/);
    running.type("\x03");
    await running.shows(/stopping: 1 running, aborted in \d+ s · Ctrl-C again stops at once/);
    running.type("\x03");
    expect(await running.ended).toMatchObject({ exitCode: 130 });
    expectGivenBack(running);
    const whole = running.screen.whole().join("\n");
    expect(whole.match(/go on later with: npx millrace resume 1/g)).toHaveLength(1);
    expect(whole).toMatch(/⧗ waiting {2}gated 1 after/);
  });
});

test("a window of 40×10 is too small: lines, and no control byte but colour", async () => {
  const project = makeProject();
  project.touch("open");
  const running = startInPty({ folder: project.folder, columns: 40, rows: 10 }, "run", GATED);
  expect(await running.ended).toMatchObject({ exitCode: 1 });
  expect(running.bytes()).toMatch(/^00:00:\d\d run 1 started/);
  const colourless = stripVTControlCharacters(running.bytes());
  expect(colourless.replaceAll(/[\r\n]/g, "")).not.toMatch(/\p{Cc}/u);
  for (const moves of ["\u001b[?", "\u001b[J", "\u001b[K"]) {
    expect(running.bytes()).not.toContain(moves);
  }
});

test.each([
  ["NO_COLOR", { NO_COLOR: "1" }, /✓ succeeded/],
  ["TERM=dumb", { TERM: "dumb" }, /run 1 started/],
  ["CI", { CI: "true" }, /run 1 started/],
])("%s in a terminal", async (name, env, shows) => {
  const project = makeProject();
  project.touch("open");
  project.touch("mended");
  const running = startInPty({ folder: project.folder, columns: 80, rows: 24, env }, "run", GATED);
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expect(running.screen.whole().join("\n")).toMatch(shows);
  if (name !== "CI") expect(running.bytes()).not.toContain("\u001b[32m");
  if (name !== "NO_COLOR") expect(running.bytes()).not.toContain("\u001b[?25l");
});

test("a crash leaves the terminal as it was, with the error below the block", async () => {
  const project = makeProject();
  const running = startInPty(
    { folder: project.folder, columns: 80, rows: 24 },
    "run",
    "pipelines/wide.ts#crashing",
  );
  await running.shows("slots 1/32");
  project.touch("boom");
  expect(await running.ended).toMatchObject({ exitCode: 6 });
  expect(running.screen.isCursorVisible).toBe(true);
  expect(running.screen.isWrapping).toBe(true);
  const whole = running.screen.whole();
  const foot = whole.findLastIndex((line) => line.includes("slots 1/32"));
  const error = whole.findIndex((line) =>
    line.startsWith("error: Error: thrown outside any stage"),
  );
  expect(foot).toBeGreaterThan(0);
  expect(error).toBe(foot + 1);
});

test.each([
  [
    "wider and narrower",
    [
      [60, 20],
      [100, 30],
      [52, 18],
      [80, 24],
    ],
    0,
  ],
  // What a lower window pushes out at its top is out of reach; it may stay behind, and nothing else is lost.
  [
    "lower than the block",
    [
      [120, 12],
      [80, 11],
      [80, 24],
    ],
    3,
  ],
] as const)("a window made %s keeps one block and every line", async (_how, sizes, leftMax) => {
  const project = makeProject();
  const running = startInPty({ folder: project.folder, columns: 120, rows: 40 }, "run", BROAD);
  await running.shows("slots 30/32");
  for (const [columns, rows] of sizes) {
    running.resize(columns, rows);
    await running.shows(() => {
      const block = blockOf(running.screen);
      return block[0] === "─".repeat(columns - 1) && block.length === blockRowsMax(rows);
    });
    expect(running.screen.shown().filter((line) => /^─+$/.test(line))).toHaveLength(1);
  }
  project.touch("early");
  project.touch("late");
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  const whole = running.screen.whole();
  expect(whole.filter((line) => /^─+$/.test(line)).length).toBeLessThanOrEqual(leftMax);
  expect(whole.filter((line) => line.startsWith("✓ first "))).toHaveLength(1);
  expect(whole.filter((line) => line.startsWith("millrace"))).toHaveLength(1);
  for (let index = 0; index < 30; index++) {
    expect(whole.filter((line) => line.startsWith(`✓ step-${index} `))).toHaveLength(1);
  }
});

test("twenty thousand items at full speed: bounded, once, and given back", async () => {
  const project = makeProject();
  const running = startInPty(
    { folder: project.folder, columns: 80, rows: 24 },
    "run",
    "pipelines/wide.ts#flooding",
  );
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expectGivenBack(running);
  const whole = running.screen.whole().join("\n");
  expect(whole.match(/^◆ flood\/row-0 /gm)).toHaveLength(1);
  expect(whole).toContain("Items     20,000: 19,980 succeeded, 20 failed");
  // Ten redraws a second at most, whatever the machine does meanwhile.
  const redraws = running.bytes().split("\u001b[?2026h").length - 1;
  const seconds = Number(/flooding 1 in (\d+\.?\d*) s/.exec(whole)?.[1] ?? 0);
  expect(redraws).toBeLessThanOrEqual(Math.ceil(seconds + 2) * 10);
});

test("wide signs, and control bytes of user code, move nothing", async () => {
  const project = makeProject();
  const running = startInPty(
    { folder: project.folder, columns: 60, rows: 24 },
    "run",
    "pipelines/wide.ts#wide",
  );
  await running.shows(/names {2}1\/3/);
  await running.shows("緑 👩‍👩‍👧 family \\x1b[2J\\x1b[Hstay");
  expect(running.screen.shown()[0]).toMatch(/^millrace {2}wide/);
  project.touch("open");
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expectGivenBack(running);
});

test("keys open panels, and s goes on in lines", async () => {
  const project = makeProject();
  const running = startInPty({ folder: project.folder, columns: 80, rows: 24 }, "run", GATED);
  await running.shows(/press {2}3\/4/);
  running.type("?");
  await running.shows("switch to lines");
  running.type("f");
  await running.shows("1 × press  sheet one is broken (unknown)");
  running.type("s");
  await running.shows(/heartbeat press 3\/4 failed=1/);
  expect(running.screen.isCursorVisible).toBe(true);
  project.touch("open");
  expect(await running.ended).toMatchObject({ exitCode: 1 });
  expect(running.screen.whole().join("\n")).toContain("stage press failed");
});

test("Ctrl-Z gives the terminal to the shell, and fg takes it back", async () => {
  const project = makeProject();
  const command = ["bash", "--norc", "-i"];
  const running = startInPty({ folder: project.folder, columns: 100, rows: 24, command });
  running.type(`${COMMAND.join(" ")} run '${GATED}'\r`);
  await running.shows(/press {2}3\/4/);
  running.type("\x1a");
  await running.shows("Stopped");
  expect(running.screen.isCursorVisible).toBe(true);
  running.type("fg\r");
  await running.shows(/press {2}3\/4/);
  project.touch("open");
  await running.shows("◆ failed  gated 1 in");
  running.type("exit\r");
  await running.ended;
  expect(running.screen.isCursorVisible).toBe(true);
});
