// The live form on a terminal in memory and a clock that stands still: what the screen shows, not which bytes
// were sent. The same in a real pseudo-terminal stands in test/e2e.

import { PassThrough } from "node:stream";
import { fc, test as check } from "@fast-check/vitest";
import { afterEach, expect, test } from "vitest";
import { blockRowsMax } from "../../src/cli/render/live/painter.ts";
import { LiveForm } from "../../src/cli/render/forms/live-form.ts";
import { makePaint } from "../../src/cli/render/color.ts";
import { alphabetOf } from "../../src/cli/render/marks.ts";
import { applyEvent, makeProgress } from "../../src/cli/render/progress/progress-model.ts";
import type { PlannedRun, Progress } from "../../src/cli/render/progress/progress.ts";
import { makeVirtualClock, type VirtualClock } from "../../src/std/virtual-clock.ts";
import {
  closeCrawl,
  CRAWL,
  recordCrawl,
  START_MS,
  toEvent,
  type RecordedEvent,
} from "../support/recorded-run.ts";
import { Screen } from "../support/screen.ts";

interface World {
  readonly clock: VirtualClock;
  readonly screen: Screen;
  readonly form: LiveForm;
  readonly progress: Progress;
  readonly stdin: PassThrough & { isRaw: boolean };
  readonly raised: string[];
  /** Waits until all that was written is on the screen. */
  settle(): Promise<void>;
  play(events: readonly RecordedEvent[], look?: () => void): Promise<void>;
  press(keys: string): Promise<void>;
  resize(columns: number, rows: number): Promise<void>;
  /** How many writes there were. */
  writes(): number;
  bytes(): string;
}

const open: World[] = [];

afterEach(() => {
  for (const world of open.splice(0)) {
    world.form.abandon();
    expect(world.clock.pendingTimers).toBe(0);
  }
});

interface SetupOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly plan?: PlannedRun;
  readonly isColored?: boolean;
  readonly isReflowing?: boolean;
  readonly logs?: "all" | "failed" | "none";
}

function setup(options: SetupOptions = {}): World {
  const clock = makeVirtualClock({ startAtMs: START_MS });
  const screen = new Screen(options.columns ?? 80, options.rows ?? 24, options.isReflowing);
  const progress = makeProgress(options.plan ?? CRAWL);
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    isRaw: false,
    setRawMode(isRaw: boolean) {
      stdin.isRaw = isRaw;
    },
  });
  const raised: string[] = [];
  let onResize = (): void => undefined;
  let written: Promise<void> = Promise.resolve();
  let writes = 0;
  let bytes = "";
  const form = new LiveForm({
    progress,
    clock,
    logs: options.logs ?? "failed",
    look: {
      alphabet: alphabetOf("unicode"),
      paint: makePaint(options.isColored ?? false),
      columnsMax: screen.columns,
      isTerminal: true,
    },
    write: (text) => {
      writes += 1;
      bytes += text;
      written = screen.write(text);
    },
    stdin,
    isReflowing: options.isReflowing ?? true,
    size: () => ({ columns: screen.columns, rows: screen.rows }),
    onResize: (listener) => {
      onResize = listener;
      return () => {
        onResize = () => undefined;
      };
    },
    raise: (signal) => raised.push(signal),
    onContinue: () => () => undefined,
  });
  const world: World = {
    clock,
    screen,
    form,
    progress,
    stdin,
    raised,
    settle: () => written,
    async play(events, look) {
      for (const [index, recorded] of events.entries()) {
        const waitMs = START_MS + recorded.atMs - clock.wallMs();
        if (waitMs > 0) await clock.advance(waitMs);
        form.tell(applyEvent(progress, toEvent(recorded, index + 1)));
        if (look === undefined) continue;
        await written;
        look();
      }
    },
    async press(keys) {
      stdin.write(keys);
      await clock.advance(200);
      await written;
    },
    async resize(columns, rows) {
      await written;
      screen.resize(columns, rows);
      onResize();
      await clock.advance(200);
      await written;
    },
    writes: () => writes,
    bytes: () => bytes,
  };
  open.push(world);
  return world;
}

/** Rows from the rule down: the block as the screen shows it. */
function blockOf(screen: Screen): string[] {
  const shown = screen.shown();
  const rule = shown.findLastIndex((line) => /^─+$/.test(line));
  const last = shown.findLastIndex((line) => line !== "");
  return rule === -1 ? [] : shown.slice(rule, last + 1);
}

test("the block shows open stages, counts of the others, and a foot", async () => {
  const world = setup();
  world.form.begin();
  await world.play(recordCrawl(40).filter(({ atMs }) => atMs < 9_000));
  await world.clock.advance(200);
  await world.settle();

  expect(world.screen.shown().filter((line) => line !== "")).toMatchInlineSnapshot(`
    [
      "millrace  crawl  run 7f3k  sqlite:.millrace/store.db",
      "✓ fetch            1.2 s   ×2",
      "◆ thumb         no picture after 2 s at line 7, attempt 2 of 2",
      "  thumb │ opening\\tpage",
      "  thumb │ warn no \\x1b[2Jfont",
      "✓ parse            2.4 s",
      "◆ score/row-0   HTTP 502 from scorer, attempt 3 of 3",
      "───────────────────────────────────────────────────────────────────────────────",
      "◐ score  20/40  ██████████··········  2 failed  3.7/s  ETA 6s",
      "◌ 1 pending  ✓ 2 succeeded  ◆ 1 failed",
      "9 s   18 ok   3 failed   7 retried   slots 0/64                          ? keys",
    ]
  `);
});

test("permanent lines stand above the closing block, and nothing of the block is left", async () => {
  const world = setup();
  world.form.begin();
  await world.play(recordCrawl(40));
  world.form.finish(closeCrawl(world.progress));
  await world.settle();

  expect(world.screen.whole()).toMatchInlineSnapshot(`
    [
      "millrace  crawl  run 7f3k  sqlite:.millrace/store.db",
      "✓ fetch            1.2 s   ×2",
      "◆ thumb         no picture after 2 s at line 7, attempt 2 of 2",
      "  thumb │ opening\\tpage",
      "  thumb │ warn no \\x1b[2Jfont",
      "✓ parse            2.4 s",
      "◆ score/row-0   HTTP 502 from scorer, attempt 3 of 3",
      "◆ score           11.4 s   40 items: 36 succeeded, 4 failed (4 after a retry)",
      "◇ save          upstream failed · score",
      "",
      "◆ failed  crawl 7f3k in 15 s            ▲ 1 warning",
      "  Stages    2 succeeded, 2 failed, 1 upstream failed",
      "  Items     40: 36 succeeded (5 after a retry), 4 failed",
      "  Waited    25% of item time: retry 25%",
      "  Slowest   score 11 s (p50 180 ms, p95 320 ms) · parse 2.4 s",
      "  Failures  4  score  HTTP 502 from scorer (server, 3 attempts)   first row-0",
      "            1  thumb  no picture after 2 s at line 7 (timeout, 2 attempts)",
      "  Next      npx millrace resume 7f3k            redo what failed, keep the rest",
      "            npx millrace why 7f3k/score/row-0",
    ]
  `);
  expect(world.screen.isCursorVisible).toBe(true);
  expect(world.screen.isWrapping).toBe(true);
  expect(world.stdin.isRaw).toBe(false);
});

test.each([
  [80, 24],
  [120, 40],
  [50, 10],
  [200, 60],
])(
  "at %d×%d the block never outgrows its height, nor the window its width",
  async (columns, rows) => {
    const world = setup({ columns, rows, plan: wide(60) });
    world.form.begin();
    await world.play(recordWide(60), () => {
      expect(blockOf(world.screen).length).toBeLessThanOrEqual(blockRowsMax(rows));
      expect(world.screen.isAlternate).toBe(false);
    });
    world.form.finish(closeCrawl(world.progress));
    await world.settle();
    for (let stage = 0; stage < 60; stage++) {
      const lines = world.screen.whole().filter((line) => line.startsWith(`✓ stage-${stage} `));
      expect(lines).toHaveLength(1);
    }
  },
);

/** A pipeline of so many stages side by side. */
function wide(count: number): PlannedRun {
  const stages = Array.from({ length: count }, (_, index) => ({
    name: `stage-${index}`,
    kind: "stage" as const,
    attemptsMax: 1,
  }));
  return { ...CRAWL, stages };
}

function recordWide(count: number): RecordedEvent[] {
  return Array.from({ length: count }, (_, index): RecordedEvent[] => [
    { atMs: index, type: "stage.started", stage: `stage-${index}`, attempt: 1 },
    {
      atMs: 1_000 + index * 40,
      type: "stage.succeeded",
      stage: `stage-${index}`,
      data: { durationMs: 1_000 },
    },
  ])
    .flat()
    .toSorted((left, right) => left.atMs - right.atMs);
}

test("many stages that ended alike without running share a line", async () => {
  const world = setup({ plan: wide(30) });
  world.form.begin();
  const events = Array.from({ length: 30 }, (_, index): RecordedEvent => ({
    atMs: 5,
    type: "stage.upstream_failed",
    stage: `stage-${index}`,
    data: { stage: "fetch" },
  }));
  await world.play(events);
  world.form.finish(closeCrawl(world.progress));
  await world.settle();
  expect(world.screen.whole()[1]).toBe(
    "◇ 30 stages upstream failed · fetch · stage-0, stage-1, stage-2 …",
  );
});

test("equal failures within one redraw are one line with their number", async () => {
  const world = setup();
  world.form.begin();
  const events = Array.from({ length: 39 }, (_, index): RecordedEvent => ({
    atMs: 5,
    type: "item.failed",
    stage: "score",
    item: `row-${index}`,
    data: { class: "server", message: "HTTP 502 from scorer", attempts: 3, fingerprint: "a" },
  }));
  await world.play(events);
  await world.clock.advance(200);
  await world.settle();
  expect(world.screen.shown()[1]).toBe(
    "◆ score/row-0   HTTP 502 from scorer, attempt 3 of 3   (+38 like this)",
  );
});

test("a long error is wrapped and never cut", async () => {
  const world = setup({ columns: 60 });
  world.form.begin();
  const message = Array.from({ length: 30 }, (_, index) => `word${index}`).join(" ");
  await world.play([
    { atMs: 5, type: "stage.failed", stage: "fetch", data: { class: "bug", message, attempts: 1 } },
  ]);
  world.form.finish(closeCrawl(world.progress, { failures: [] }));
  await world.settle();
  const text = world.screen.whole().join(" ").replaceAll(/\s+/g, " ");
  expect(text).toContain(message);
});

test("five thousand events a second cost at most ten redraws", async () => {
  const world = setup();
  world.form.begin();
  const before = world.writes();
  const events = Array.from({ length: 5_000 }, (_, index): RecordedEvent => {
    const item = `row-${index >> 1}`;
    const atMs = Math.floor(index / 5);
    return {
      atMs,
      type: index % 2 === 0 ? "item.started" : "item.succeeded",
      stage: "score",
      item,
    };
  });
  await world.play(events);
  await world.settle();
  expect(world.writes() - before).toBeLessThanOrEqual(11);
  expect(world.progress.items.succeeded).toBe(2_500);
});

test("only lines that changed are sent again", async () => {
  const world = setup();
  world.form.begin();
  await world.play([
    { atMs: 0, type: "stage.started", stage: "fetch", attempt: 1 },
    { atMs: 0, type: "stage.started", stage: "parse", attempt: 1 },
  ]);
  await world.clock.advance(450);
  const before = world.bytes().length;
  await world.play([
    { atMs: 500, type: "stage.progressed", stage: "parse", data: { done: 3, total: 9 } },
  ]);
  await world.clock.advance(200);
  const sent = world.bytes().slice(before);
  expect(sent).toContain("parse");
  expect(sent).not.toContain("fetch");
  expect(sent).not.toContain("───");
});

test.each([true, false])(
  "a narrower window erases nothing above the block, whether it wraps (%s) or cuts",
  async (isReflowing) => {
    const world = setup({ columns: 120, rows: 24, isReflowing });
    world.form.begin();
    await world.play(recordCrawl(40).filter(({ atMs }) => atMs < 9_000));
    await world.resize(60, 24);
    world.form.finish(closeCrawl(world.progress));
    await world.settle();
    const whole = world.screen.whole();
    for (const start of ["millrace", "✓ fetch", "◆ thumb", "✓ parse", "◆ score/row-0"]) {
      expect(whole.filter((line) => line.startsWith(start))).toHaveLength(1);
    }
    expect(whole.filter((line) => /^─+$/.test(line))).toEqual([]);
  },
);

test("every redraw is synchronised", async () => {
  const world = setup();
  world.form.begin();
  await world.play(recordCrawl(20));
  const opened = world.bytes().split("\x1b[?2026h").length;
  expect(world.bytes().split("\x1b[?2026l").length).toBe(opened);
  expect(opened).toBeGreaterThan(10);
});

test("a window that changes its size is redrawn, and no line is lost or doubled", async () => {
  const world = setup({ columns: 120, rows: 40 });
  world.form.begin();
  const events = recordCrawl(40);
  await world.play(events.filter(({ atMs }) => atMs < 5_000));
  for (const [columns, rows] of [
    [60, 20],
    [100, 12],
    [52, 30],
    [80, 24],
  ] as const) {
    await world.resize(columns, rows);
    expect(blockOf(world.screen).length).toBeLessThanOrEqual(blockRowsMax(rows));
    expect(world.screen.shown().filter((line) => /^─+$/.test(line))).toHaveLength(1);
  }
  await world.play(events.filter(({ atMs }) => atMs >= 5_000));
  world.form.finish(closeCrawl(world.progress));
  await world.settle();
  const whole = world.screen.whole();
  expect(whole.filter((line) => line.startsWith("✓ fetch"))).toHaveLength(1);
  expect(whole.filter((line) => line.startsWith("✓ parse"))).toHaveLength(1);
  expect(whole.filter((line) => line.startsWith("◆ thumb"))).toHaveLength(1);
  expect(whole.filter((line) => /^─+$/.test(line))).toHaveLength(0);
});

test("wide signs in names, keys and messages move nothing", async () => {
  const plan = { ...CRAWL, stages: [{ name: "取得する🚀", kind: "map" as const, attemptsMax: 2 }] };
  const world = setup({ plan, columns: 60 });
  world.form.begin();
  await world.play([
    { atMs: 0, type: "stage.expanded", stage: "取得する🚀", data: { items: 4 } },
    { atMs: 1, type: "item.started", stage: "取得する🚀", item: "鍵👩‍👩‍👧" },
    {
      atMs: 2,
      type: "item.failed",
      stage: "取得する🚀",
      item: "鍵👩‍👩‍👧",
      data: {
        class: "server",
        message: "接続できません".repeat(12),
        attempts: 2,
        fingerprint: "w",
      },
    },
    { atMs: 3, type: "item.started", stage: "取得する🚀", item: "二" },
  ]);
  await world.clock.advance(3_000);
  await world.settle();
  const block = blockOf(world.screen);
  expect(block).toHaveLength(3);
  expect(block[1]).toMatch(/^◐ 取得する🚀 .*1\/4/);
});

test("what stages write is shown when they fail, and control bytes never reach the terminal", async () => {
  const world = setup();
  world.form.begin();
  await world.play(recordCrawl(1).filter(({ atMs }) => atMs < 2_500));
  await world.clock.advance(200);
  await world.settle();
  const shown = world.screen.shown();
  expect(shown).toContain(String.raw`  thumb │ opening\tpage`);
  expect(shown).toContain(String.raw`  thumb │ warn no \x1b[2Jfont`);
});

test("keys open panels within the height of the block, and close them", async () => {
  const world = setup({ rows: 12 });
  world.form.begin();
  await world.play(recordCrawl(40).filter(({ atMs }) => atMs < 9_000));
  for (const [key, text] of [
    ["f", "HTTP 502 from scorer (server)"],
    ["l", "thumb │"],
    ["w", "nothing waits"],
    ["?", "switch to lines"],
  ] as const) {
    await world.press(key);
    expect(blockOf(world.screen).join("\n")).toContain(text);
    expect(blockOf(world.screen).length).toBeLessThanOrEqual(blockRowsMax(12));
  }
  await world.press("?");
  expect(blockOf(world.screen).join("\n")).toContain("score");
  await world.press("f");
  await world.press("\x1b");
  expect(blockOf(world.screen).join("\n")).not.toContain("(server)");
  await world.press("\x1b[A");
  expect(blockOf(world.screen).join("\n")).not.toContain("(server)");
});

test("the key s gives the terminal back and goes on in lines", async () => {
  const world = setup();
  world.form.begin();
  const events = recordCrawl(10);
  await world.play(events.filter(({ atMs }) => atMs < 5_000));
  await world.press("s");
  expect(blockOf(world.screen)).toEqual([]);
  expect(world.screen.isCursorVisible).toBe(true);
  expect(world.stdin.isRaw).toBe(false);
  await world.play(events.filter(({ atMs }) => atMs >= 5_000));
  world.form.finish(closeCrawl(world.progress));
  await world.settle();
  expect(world.screen.whole().join("\n")).toMatch(/stage score failed 3\.9s items=10/);
});

test("Ctrl-C, Ctrl-Z and Ctrl-\\ mean what they mean everywhere", async () => {
  const world = setup();
  world.form.begin();
  expect(world.stdin.isRaw).toBe(true);
  await world.press("\x03");
  expect(world.raised).toEqual(["SIGINT"]);
  expect(world.stdin.isRaw).toBe(true);
  await world.press("\x1a");
  expect(world.raised).toEqual(["SIGINT", "SIGTSTP"]);
  expect(world.stdin.isRaw).toBe(false);
  expect(world.screen.isCursorVisible).toBe(true);
});

test("an interruption counts down in the block and says once how to go on", async () => {
  const world = setup({ columns: 100 });
  world.form.begin();
  await world.play([{ atMs: 0, type: "stage.started", stage: "fetch", attempt: 1 }]);
  const stopping = {
    cause: "SIGINT",
    abortAtMs: START_MS + 20_000,
    resume: "npx millrace resume 7f3k",
  };
  world.form.stopping(stopping);
  await world.clock.advance(3_000);
  await world.settle();
  expect(blockOf(world.screen).at(-2)).toBe(
    "stopping: 1 running, aborted in 17 s · Ctrl-C again stops at once",
  );
  world.form.stopping({ ...stopping, abortAtMs: START_MS + 3_000 });
  await world.clock.advance(200);
  await world.settle();
  expect(blockOf(world.screen).at(-2)).toBe("stopping: 1 running, aborted now");
  const told = world.screen.whole().filter((line) => line.includes("npx millrace resume 7f3k"));
  expect(told).toEqual(["stopping after SIGINT; go on later with: npx millrace resume 7f3k"]);
});

test("after a crash the block stays as it was, with the cursor below it", async () => {
  const world = setup();
  world.form.begin();
  await world.play(recordCrawl(40).filter(({ atMs }) => atMs < 9_000));
  world.form.abandon();
  world.form.abandon();
  await world.screen.write("error: our fault\r\n");
  const whole = world.screen.whole();
  expect(whole.at(-1)).toBe("error: our fault");
  expect(whole.at(-2)).toMatch(/ok/);
  expect(world.screen.isCursorVisible).toBe(true);
  expect(world.screen.isWrapping).toBe(true);
  expect(world.stdin.isRaw).toBe(false);
});

test("colour adds nothing but colour", async () => {
  const texts: string[][] = [];
  for (const isColored of [true, false]) {
    const world = setup({ isColored });
    world.form.begin();
    await world.play(recordCrawl(40));
    world.form.finish(closeCrawl(world.progress));
    await world.settle();
    texts.push(world.screen.whole());
  }
  expect(texts[0]).toEqual(texts[1]);
});

const STAGE_NAMES = CRAWL.stages.map(({ name }) => name);
const TYPES = [
  "stage.started",
  "stage.waiting",
  "stage.succeeded",
  "stage.failed",
  "stage.skipped",
  "stage.expanded",
  "stage.progressed",
  "stage.logged",
  "item.started",
  "item.waiting",
  "item.succeeded",
  "item.failed",
  "item.cancelled",
] as const;

const anyEvent: fc.Arbitrary<RecordedEvent> = fc
  .record({
    type: fc.constantFrom(...TYPES),
    stage: fc.constantFrom(...STAGE_NAMES),
    key: fc.string({ unit: "grapheme", minLength: 1, maxLength: 90 }),
    message: fc.string({ unit: "grapheme", maxLength: 200 }),
    items: fc.nat(50),
  })
  .map(({ type, stage, key, message, items }) => ({
    atMs: 0,
    type,
    stage,
    ...(type.startsWith("item.") ? { item: key } : {}),
    data: {
      message,
      class: "server",
      fingerprint: message,
      items,
      done: items,
      total: 50,
      blocker: "retry",
      note: message,
    },
  }));

check.prop(
  [
    fc.record({
      events: fc.array(anyEvent, { maxLength: 40 }),
      columns: fc.integer({ min: 50, max: 130 }),
      rows: fc.integer({ min: 10, max: 40 }),
      isColored: fc.boolean(),
    }),
  ],
  { numRuns: 40 },
)(
  "whatever happens, the block keeps its height and the terminal is given back",
  async ({ events, columns, rows, isColored }) => {
    const world = setup({ columns, rows, isColored, logs: "all" });
    world.form.begin();
    const timed = events.map((event, index) => ({ ...event, atMs: index * 60 }));
    await world.play(timed, () => {
      expect(blockOf(world.screen).length).toBeLessThanOrEqual(blockRowsMax(rows));
    });
    world.form.finish(closeCrawl(world.progress));
    await world.settle();
    expect(world.screen.isCursorVisible).toBe(true);
    expect(world.screen.isWrapping).toBe(true);
    expect(world.screen.shown().filter((line) => /^─+$/.test(line))).toEqual([]);
  },
);
