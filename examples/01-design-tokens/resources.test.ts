// What all runs share: the decoder with its limit and its breaker, on the real engine and a store.
import { cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMillrace } from "millrace";
import type { Millrace, OpenOptions } from "millrace";
import { afterEach, beforeEach, expect, test } from "vitest";
import { designTokens } from "./pipeline.ts";
import { SOURCE } from "./stages.ts";

const BRAND = join(import.meta.dirname, "fixtures", "brand");
const DECODER_DOWN = join(import.meta.dirname, "faults", "decoder-down.json");

let folder = "";
let mill: Millrace | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "design-tokens-"));
  await mkdir(join(folder, "images"));
});
afterEach(async () => {
  await mill?.close();
  await rm(folder, { recursive: true });
});

async function open(options: OpenOptions = {}): Promise<Millrace> {
  const store = `sqlite:${join(folder, "store.db")}`;
  mill = await openMillrace({ store, pipelines: [designTokens], ...options });
  return mill;
}

/** A run of these pictures. */
async function toInput(names: readonly string[], fields: Readonly<Record<string, string>> = {}) {
  const images = join(folder, "images");
  for (const name of names) await cp(join(BRAND, name), join(images, name));
  return SOURCE.parse({ images, out: join(folder, "out"), ...fields });
}

async function readOut(name: string): Promise<Record<string, string>> {
  const files = await readdir(join(folder, name));
  const texts = files.map(async (file) => [file, await readFile(join(folder, name, file), "utf8")]);
  return Object.fromEntries(await Promise.all(texts));
}

/** Moves of the decoder's breaker, in order. */
async function listMoves(opened: Millrace): Promise<string[]> {
  const events = await opened.store.listEvents({ after: 0, limit: 1_000 });
  return events.flatMap(({ type }) => (type.startsWith("breaker.") ? [type] : []));
}

async function breakerOf(opened: Millrace) {
  const { resources } = await opened.resources({ resource: "decoder" });
  return resources[0]?.breaker;
}

const SMALL = ["logo2.png", "Minduka_Present_Blue_Pack.png"] as const;

test("R96: two pictures at once where the decoder bears two, however many runs there are", async () => {
  const opened = await open({ resources: { decoder: { limit: 2 } } });
  const input = await toInput(SMALL);
  let now = 0;
  let most = 0;
  const onEvent = ({ type, item }: { readonly type: string; readonly item?: string }): void => {
    if (item === undefined) return;
    if (type === "item.started") most = Math.max(most, ++now);
    if (type === "item.succeeded") now--;
  };
  const outs = ["one", "two"].map((out) => ({ ...input, out: join(folder, out) }));
  const runs = await Promise.all(outs.map((own) => opened.start(designTokens, own, { onEvent })));
  for (const run of runs) expect(await run.result()).toMatchObject({ state: "succeeded" });
  expect([now, most]).toEqual([0, 2]);
  expect(await readOut("two")).toEqual(await readOut("one"));
});

test("R115 R118 R121: a decoder that fails three times in a row rests, what comes later waits, and a probe closes it", async () => {
  const opened = await open({ resources: { decoder: { breaker: { recovery: "2s" } } } });
  const plain = await opened.start(designTokens, {
    ...(await toInput(SMALL)),
    out: join(folder, "plain"),
  });
  await plain.result();
  expect(await breakerOf(opened)).toMatchObject({ state: "closed", failures: 0 });

  let seen: Promise<unknown> | undefined;
  let failures = 0;
  const run = await opened.start(designTokens, await toInput(SMALL, { faults: DECODER_DOWN }), {
    onEvent: ({ type, data }) => {
      if (type !== "item.waiting" || data?.["class"] === undefined) return;
      failures++;
      // The third failure is stored with the opening.
      if (failures === 3) seen = breakerOf(opened);
    },
  });
  const result = await run.result();
  expect(await seen).toMatchObject({ state: "open", threshold: 3, openings: 1 });
  expect(result).toMatchObject({ state: "succeeded", warnings: 0 });
  expect(await listMoves(opened)).toEqual([
    "breaker.opened",
    "breaker.half_opened",
    "breaker.closed",
  ]);
  expect(await breakerOf(opened)).toMatchObject({ state: "closed", failures: 3 });
  // Three tried twice, nobody else: waiting costs no attempt.
  const { items } = await opened.items(run.id, "extract");
  const tries = items.map(({ attempts }) => attempts).toSorted((a, b) => a - b);
  expect(tries).toEqual([1, 1, 1, 1, 1, 2, 2, 2]);
  expect(await readOut("out")).toEqual(await readOut("plain"));
});

test("R127: a run whose first stage meets an open breaker calls nothing: it waits, or fails at once by its deadline", async () => {
  const opened = await open();
  await opened.tripResource("decoder", { for: "1h", reason: "no decoder today" });
  const input = await toInput(["logo2.png"]);
  const late = await opened.start(designTokens, input, { deadline: "10m" });
  const result = await late.result();
  expect(result).toMatchObject({ state: "failed", failedStages: ["preprocess"] });
  const ofStage = result.errors.filter(({ item }) => item === undefined);
  expect(ofStage).toMatchObject([{ error: { class: "deadline", attempts: 0 } }]);
  expect(ofStage[0]?.error.message).toContain('the breaker of resource "decoder" is open');
  const { items } = await opened.items(late.id, "preprocess");
  expect(items.map(({ attempts, state }) => [attempts, state])).toEqual([[0, "failed"]]);

  await opened.enqueue(designTokens, [{ key: "patient", input }]);
  await opened.work({ drain: true });
  expect(await opened.run("last")).toMatchObject({ state: "waiting", reason: "breaker" });
  expect((await opened.items("last", "preprocess")).items[0]?.attempts).toBe(0);
  await expect(readdir(join(folder, "out"))).rejects.toThrow("ENOENT");
});
