// A store, its file of effects, and the judgement over both: every run that was acknowledged is there, ended once
// and well, with what an undisturbed run gives, and nothing that was committed was done again.

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openMillrace, type Millrace } from "../../src/exports/index.ts";
import {
  assertCounters,
  assertEvents,
  assertLimit,
  assertWhole,
  listCommitted,
  listEnded,
  listNeeds,
  parseEffects,
} from "../e2e/kill/judge.ts";
import { makeReference, type Passage } from "../e2e/kill/reference-pipeline.ts";
import type { Job } from "./program.ts";

/** What an undisturbed run gives. */
type Wanted = Awaited<ReturnType<ReturnType<typeof makeReference>["run"]>>;

const known = new Map<string, Promise<Wanted>>();

/** What an undisturbed run of a passage gives; each is worked out once. */
export function wantedOf(passage: Passage): Promise<Wanted> {
  const key = JSON.stringify(passage);
  const found = known.get(key) ?? makeReference(undefined).run(passage);
  known.set(key, found);
  return found;
}

/** Passages of as many runs; their salts begin with `name`. */
export function makePassages(name: string, runs: number, items: number): readonly Passage[] {
  return Array.from({ length: runs }, (_, run) => ({ salt: `${name}-${run}`, items }));
}

/** A store in a folder of its own. */
export class Scene {
  readonly folder: string;
  readonly store: string;
  readonly effects: string;
  /** By `run stage item`: bytes of the file of effects when it was first seen committed. */
  readonly #committedAt: Map<string, number> = new Map();
  #readChars = 0;

  /** @param from Folder of a scene that this one is a copy of. */
  constructor(folder: string, from?: Scene) {
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, "store"), { recursive: true });
    if (from !== undefined) cpSync(from.folder, folder, { recursive: true });
    this.store = join(folder, "store", "store.db");
    this.effects = join(folder, "effects.jsonl");
  }

  /** The job of working here. */
  job(more: Partial<Job> = {}): Job {
    return { store: this.store, effects: this.effects, passages: [], work: true, ...more };
  }

  /** Opens the store in this process. */
  open(options: Parameters<typeof openMillrace>[0] = {}): Promise<Millrace> {
    const pipelines = [makeReference(this.effects, { isShared: true })];
    return openMillrace({ store: `sqlite:${this.store}`, pipelines, ...options });
  }

  /** Queues a run per passage, once. */
  async enqueue(passages: readonly Passage[]): Promise<void> {
    const mill = await this.open();
    try {
      const entries = passages.map((passage) => ({ key: passage.salt, input: passage }));
      await mill.enqueue(makeReference(this.effects, { isShared: true }), entries);
    } finally {
      await mill.close();
    }
  }

  /** Works until the queue is drained, in this process. */
  async drain(options: Parameters<typeof openMillrace>[0] = {}): Promise<void> {
    const mill = await this.open(options);
    try {
      await mill.work({ drain: true });
    } finally {
      await mill.close();
    }
  }

  /**
   * Notes what is committed, and that nothing had begun before what it needs was. Others may work meanwhile: what
   * is in the file of effects before the tables are read has begun, what comes after them was begun later.
   */
  look(): void {
    if (!existsSync(this.store)) return;
    const text = this.#readEffects();
    const fresh = parseEffects(text.slice(this.#readChars));
    this.#readChars = text.length;
    const database = new DatabaseSync(this.store, { readOnly: true, timeout: 10_000 });
    try {
      assertLimit(database);
      const ended = new Set(listEnded(database));
      for (const { run, stage, item } of fresh) {
        for (const need of listNeeds(stage.split("#")[0] ?? "", item))
          assert.ok(ended.has(`${run} ${need}`), `"${stage}" began before "${need}" was committed`);
      }
      const committed = listCommitted(database);
      const bytes = Buffer.byteLength(this.#readEffects());
      for (const name of committed)
        if (!this.#committedAt.has(name)) this.#committedAt.set(name, bytes);
    } finally {
      database.close();
    }
  }

  /** Judges a drained store. Throws at the first thing that is not as it must be. */
  async judge(passages: readonly Passage[], acknowledged: readonly string[] = []): Promise<void> {
    this.look();
    this.judgeRows();
    await this.judgeResults(passages, acknowledged);
    this.#judgeEffects();
  }

  /** The file hangs together, all has ended well, counters are right, events whole. */
  judgeRows(): void {
    const database = new DatabaseSync(this.store, { readOnly: true, timeout: 10_000 });
    try {
      assertWhole(database);
      assertCounters(database);
      assertEvents(database);
    } finally {
      database.close();
    }
  }

  /** Every passage has one run, which succeeded with what is wanted. */
  async judgeResults(
    passages: readonly Passage[],
    acknowledged: readonly string[] = [],
  ): Promise<void> {
    const mill = await this.open({ mode: "read" });
    try {
      const { runs } = await mill.runs({ limit: 500 });
      const ids = new Set(runs.map(({ id }) => id));
      for (const id of acknowledged)
        assert.ok(ids.has(id), `run ${id} was acknowledged and is lost`);
      const salts = runs.map(({ key }) => key ?? "");
      assert.deepEqual(salts.toSorted(), passages.map(({ salt }) => salt).toSorted(), "runs");
      const bySalt = new Map(passages.map((passage) => [passage.salt, passage]));
      for (const run of runs) {
        const passage = bySalt.get(run.key ?? "");
        assert.ok(passage !== undefined);
        const wanted = await wantedOf(passage);
        const found = await mill.result(run.id);
        assert.equal(found.state, "succeeded", `run ${run.name}`);
        assert.deepEqual(found.outputs, wanted.outputs, `outputs of run ${run.name}`);
        assert.deepEqual(run.metrics, wanted.metrics, `metrics of run ${run.name}`);
        assert.equal(run.warnings, wanted.warnings, `warnings of run ${run.name}`);
      }
    } finally {
      await mill.close();
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #readEffects(): string {
    if (!existsSync(this.effects)) return "";
    const text = readFileSync(this.effects, "utf8");
    // Somebody may be in the middle of a line.
    return text.slice(0, text.lastIndexOf("\n") + 1);
  }

  #judgeEffects(): void {
    const keys = new Map<string, string>();
    let at = 0;
    for (const effect of parseEffects(this.#readEffects())) {
      const { run, stage, item, idempotencyKey, pid } = effect;
      const name = `${run} ${stage} ${item}`;
      const committedAt = this.#committedAt.get(name) ?? Infinity;
      assert.ok(at < committedAt, `${name} was committed, and was done again by process ${pid}`);
      at += Buffer.byteLength(JSON.stringify(effect)) + 1;
      if (stage.includes("#")) continue;
      const first = keys.get(name) ?? idempotencyKey;
      assert.equal(idempotencyKey, first, `${name} has two idempotency keys`);
      keys.set(name, idempotencyKey);
    }
    assert.equal(new Set(keys.values()).size, keys.size, "two share one idempotency key");
  }
}
