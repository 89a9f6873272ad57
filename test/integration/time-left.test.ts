// What the forms of stderr say of the time that is left, once earlier runs were read.

import { describe, expect, test } from "vitest";
import { AgentForm } from "../../src/cli/render/forms/agent-form.ts";
import { makeJsonForm } from "../../src/cli/render/forms/json-form.ts";
import { LinesForm } from "../../src/cli/render/forms/lines-form.ts";
import { makeQuietForm } from "../../src/cli/render/forms/quiet-form.ts";
import { renderBlock } from "../../src/cli/render/live/block.ts";
import { plainLook } from "../../src/cli/render/look.ts";
import { alphabetOf } from "../../src/cli/render/marks.ts";
import { describeLeft, leftFacts } from "../../src/cli/render/phrases.ts";
import type { Forecast } from "../../src/cli/render/progress/progress.ts";
import type { TimeLeft } from "../../src/service/plan/time-left.ts";
import { play, setStage, START_MS, type Stage } from "../support/recorded-run.ts";

const SOON: TimeLeft = {
  lowMs: 180_000,
  midMs: 200_000,
  highMs: 300_000,
  confidence: "medium",
  isOverdue: false,
  runs: 14,
};

function foresee(stage: Stage, left: TimeLeft | undefined): void {
  const forecast: Forecast = { run: () => left, stage: () => left };
  stage.progress.forecast = forecast;
  stage.form.foresee();
}

test("R252: lines say it once it is known, and with every beat of the clock", async () => {
  const stage = setStage((options) => new LinesForm(options));
  stage.form.begin();
  await play(stage, [{ atMs: 0, type: "stage.started", stage: "fetch", attempt: 1 }]);
  foresee(stage, SOON);
  await stage.clock.advance(30_000);
  stage.form.abandon();

  expect(stage.written().match(/^.*left=.*$/gm)).toEqual([
    "00:00:00 run 7f3k left=3m..5m confidence=medium earlier_runs=14",
    "00:00:30 heartbeat run 7f3k left=3m..5m confidence=medium earlier_runs=14",
  ]);
});

test("R252: agents and programs are told as well", async () => {
  const agent = setStage((options) => new AgentForm(options));
  const json = setStage(makeJsonForm);
  for (const stage of [agent, json]) foresee(stage, SOON);

  expect(agent.written()).toBe("[LEFT] 7f3k left=3m..5m confidence=medium earlier_runs=14\n");
  expect(JSON.parse(json.written())).toMatchObject({
    type: "command.foreseen",
    run: "7f3k",
    data: { lowMs: 180_000, midMs: 200_000, highMs: 300_000, confidence: "medium", runs: 14 },
  });
});

test("nothing is said where earlier runs do not tell, nor by the quiet form", () => {
  const stages = [
    setStage((options) => new LinesForm(options)),
    setStage((options) => new AgentForm(options)),
    setStage(makeJsonForm),
  ];
  for (const stage of stages) foresee(stage, undefined);
  const quiet = setStage(makeQuietForm);
  foresee(quiet, SOON);

  expect([...stages, quiet].map((stage) => stage.written())).toEqual(["", "", "", ""]);
});

describe("the live block", () => {
  async function block(left: TimeLeft | undefined, columnsMax: number): Promise<string> {
    const stage = setStage((options) => new LinesForm(options));
    await play(stage, [{ atMs: 0, type: "stage.started", stage: "fetch", attempt: 1 }]);
    foresee(stage, left);
    const view = {
      progress: stage.progress,
      look: plainLook(alphabetOf("unicode")),
      nowMs: START_MS + 12_000,
      panel: undefined,
      hasKeys: false,
      abortAtMs: undefined,
    };
    return renderBlock(view, { columnsMax, rowsMax: 14 }).slice(1).join("\n");
  }

  test("R252: has it in its foot, and a stage when it will end", async () => {
    expect(await block(SOON, 90)).toBe(
      "◐ fetch  12 s · ETA 3m\n" +
        "◌ 4 pending\n" +
        "12 s   0 ok   slots 1/64   3m to 5m left (medium confidence)",
    );
  });

  test("is as before where nothing is foreseen, and in a narrow window the least goes", async () => {
    expect(await block(undefined, 90)).toMatch(/^◐ fetch {2}12 s\n[^]*slots 1\/64$/);
    expect(await block(SOON, 40)).not.toContain("left");
  });

  test("says that a stage takes longer than before instead of a time", async () => {
    const overdue = { ...SOON, isOverdue: true };
    expect(await block(overdue, 90)).toMatch(/^◐ fetch {2}12 s\n[^]*over 3m left$/);
    expect(describeLeft({ ...overdue, lowMs: 0 })).toBe("longer than before");
    expect(leftFacts(overdue)).toBe("left=3m.. confidence=medium earlier_runs=14");
    expect(leftFacts({ ...overdue, lowMs: 0 })).toBe("left=.. confidence=medium earlier_runs=14");
    expect(describeLeft({ ...SOON, highMs: 180_000 })).toBe("3m left (medium confidence)");
  });
});
