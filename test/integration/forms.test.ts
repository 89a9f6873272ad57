// Every form of stderr, played from a recorded run with fixed times and names, against golden files. After a
// wanted change: `vitest run test/integration/forms.test.ts -u`, and read the difference.

import { describe, expect, test } from "vitest";
import { AgentForm } from "../../src/cli/render/forms/agent-form.ts";
import { makeJsonForm } from "../../src/cli/render/forms/json-form.ts";
import { LinesForm } from "../../src/cli/render/forms/lines-form.ts";
import { makeQuietForm } from "../../src/cli/render/forms/quiet-form.ts";
import type { FormOptions, ProgressForm } from "../../src/cli/render/forms/progress-form.ts";
import { plainLook } from "../../src/cli/render/look.ts";
import { alphabetOf } from "../../src/cli/render/marks.ts";
import {
  closeCrawl,
  play,
  recordCrawl,
  setStage,
  START_MS,
  type RecordedEvent,
  type StageOptions,
} from "../support/recorded-run.ts";

const FORMS: Readonly<Record<string, (options: FormOptions) => ProgressForm>> = {
  lines: (options) => new LinesForm(options),
  agent: (options) => new AgentForm(options),
  json: makeJsonForm,
  quiet: makeQuietForm,
};

async function playWhole(
  make: (options: FormOptions) => ProgressForm,
  events: readonly RecordedEvent[],
  options: StageOptions = {},
): Promise<string> {
  const stage = setStage(make, options);
  stage.form.begin();
  await play(stage, events);
  stage.form.finish(closeCrawl(stage.progress));
  return stage.written();
}

describe.each(Object.keys(FORMS))("form %s", (name) => {
  const make = FORMS[name] ?? makeQuietForm;

  test("says what its golden file says", async () => {
    const text = await playWhole(make, recordCrawl(40));
    await expect(text).toMatchFileSnapshot(`../golden/form-${name}.txt`);
  });

  test("writes no control byte but the line feed into a pipe", async () => {
    const text = await playWhole(make, recordCrawl(40), { logs: "all" });
    expect(text.replaceAll("\n", "")).not.toMatch(/\p{Cc}/u);
  });

  test("leaves no timer behind", async () => {
    const stage = setStage(make);
    stage.form.begin();
    await play(stage, recordCrawl(3));
    stage.form.finish(closeCrawl(stage.progress));
    expect(stage.clock.pendingTimers).toBe(0);
    const other = setStage(make);
    other.form.begin();
    other.form.abandon();
    expect(other.clock.pendingTimers).toBe(0);
  });
});

describe.each(["lines", "agent", "quiet"])("form %s in ASCII", (name) => {
  test("writes nothing above 0x7e of its own", async () => {
    const text = await playWhole(FORMS[name] ?? makeQuietForm, recordCrawl(20), {
      look: plainLook(alphabetOf("ascii")),
      logs: "all",
    });
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
  });
});

describe("lines", () => {
  test("equal failures of items are written once, and counted in the heartbeat", async () => {
    const text = await playWhole((options) => new LinesForm(options), recordCrawl(200));
    expect(text.match(/ failed attempts=3\/3 class=server/g)).toHaveLength(1);
    expect(text).toMatch(/heartbeat score \d+\/200 failed=\d+/);
  });

  test("twenty kinds of failure are written out, further ones only counted", async () => {
    const events: RecordedEvent[] = Array.from({ length: 30 }, (_, index) => ({
      atMs: index,
      type: "item.failed",
      stage: "score",
      item: `row-${index}`,
      data: { class: "server", message: `kind ${index}`, attempts: 1, fingerprint: `${index}` },
    }));
    const text = await playWhole((options) => new LinesForm(options), events);
    expect(text.match(/^\S+ item /gm)).toHaveLength(20);
    expect(text).toContain("further kinds of failure are only counted");
  });

  test("a silent hour is never silent: every open stage beats twice a minute", async () => {
    const stage = setStage((options) => new LinesForm(options));
    stage.form.begin();
    await play(stage, [{ atMs: 0, type: "stage.started", stage: "fetch", attempt: 1 }]);
    await stage.clock.advance(3_600_000);
    expect(stage.written().match(/heartbeat fetch running/g)).toHaveLength(120);
    stage.form.abandon();
  });

  test("an interruption says how long is left and how to go on", () => {
    const stage = setStage((options) => new LinesForm(options));
    stage.form.stopping({
      cause: "SIGINT",
      abortAtMs: START_MS + 20_000,
      resume: "npx millrace resume 7f3k",
    });
    expect(stage.written()).toBe(
      '00:00:00 run 7f3k stopping "SIGINT" running=0 abort=20s\n' +
        "00:00:00 resume with: npx millrace resume 7f3k\n",
    );
  });

  test.each([
    ["all", 2],
    ["failed", 2],
    ["none", 0],
  ] as const)("--logs %s shows %d lines of a stage that fails", async (logs, count) => {
    const text = await playWhole((options) => new LinesForm(options), recordCrawl(1), { logs });
    expect(text.match(/thumb │/g) ?? []).toHaveLength(count);
  });

  test("R230: a line of a log has time, level and text", async () => {
    const text = await playWhole((options) => new LinesForm(options), recordCrawl(1), {
      logs: "all",
    });
    expect(text).toMatch(/^00:00:01 warn thumb │ no \\x1b\[2Jfont$/m);
  });
});

describe("agent", () => {
  test("says nothing twice: each kind of failure once, with its number", async () => {
    const text = await playWhole((options) => new AgentForm(options), recordCrawl(100));
    expect(text.match(/^\[FAIL\]/gm)).toHaveLength(2);
    expect(text).toContain(
      '[FAIL] 7f3k/score/row-0 attempts=3/3 class=server x10 "HTTP 502 from scorer"',
    );
    const lines = text.trimEnd().split("\n");
    expect(new Set(lines).size).toBe(lines.length);
  });

  test("a wait that lasts is told with its end, a short one is not", async () => {
    const wait = (delayMs: number): RecordedEvent => ({
      atMs: 5,
      type: "stage.waiting",
      stage: "thumb",
      attempt: 1,
      data: { blocker: "quota shots", dueAtMs: START_MS + 5 + delayMs },
    });
    const long = await playWhole((options) => new AgentForm(options), [wait(60_000)]);
    const short = await playWhole((options) => new AgentForm(options), [wait(1_000)]);
    expect(long).toContain("[WAIT] 7f3k/thumb quota:shots until=2026-07-14T08:15:02.123Z");
    expect(short).not.toContain("[WAIT]");
  });
});

describe("json", () => {
  test("every line is a document with seq, time, type and the run's short name", async () => {
    const text = await playWhole(makeJsonForm, recordCrawl(5));
    for (const line of text.trimEnd().split("\n")) {
      const document: unknown = JSON.parse(line);
      expect(document).toMatchObject({
        seq: expect.any(Number),
        at: expect.stringMatching(/^2026-07-14T.*Z$/),
        type: expect.stringMatching(/^[a-z]+\.[a-z_]+$/),
        run: "7f3k",
      });
    }
  });
});
