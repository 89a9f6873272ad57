// A campaign of kills on one store: processes that are killed one after the other, a look at the store after each
// death, and at the end the judgement over everything that was done and stored.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { openMillrace } from "../../../src/exports/index.ts";
import type { Job, Word } from "./kill-program.ts";
import {
  assertCounters,
  assertEvents,
  assertWhole,
  listCommitted,
  listEnded,
  listNeeds,
  parseEffects,
} from "./judge.ts";
import { makeReference, type Passage } from "./reference-pipeline.ts";
import { programWords } from "../../support/suite-package.ts";

const PROGRAM = join(import.meta.dirname, "kill-program.ts");
/** Compiled code of the program, so that its start costs little. */
const COMPILED = join(tmpdir(), "millrace-kill-compiled");

/** How a process ended. */
export type Death = "killed" | "finished";

/** A moment in the life of a process: that long after it said a word. */
export interface Moment {
  readonly word: Word;
  readonly afterMs: number;
}

/** What a campaign found. */
export interface Verdict {
  readonly deaths: number;
  readonly runs: number;
  readonly effects: number;
  /** Work that was done more than once because its process died before the commit. */
  readonly repeated: number;
}

/** A store, its file of effects, and the processes that work on both. */
export class Campaign {
  readonly folder: string;
  readonly #store: string;
  readonly #effects: string;
  /** By `run stage item`: bytes of the file of effects when it was first seen committed. */
  readonly #committedAt: Map<string, number> = new Map();
  /** Characters of the file of effects that were looked at. */
  #readChars: number = 0;
  #deaths: number = 0;
  #count: number = 0;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "millrace-kill-"));
    this.#store = join(this.folder, "store", "store.db");
    this.#effects = join(this.folder, "effects.jsonl");
  }

  /** Processes that were killed so far. */
  get deaths(): number {
    return this.#deaths;
  }

  /** Runs one process. `moment`: when it is killed from outside. */
  async run(
    job: Pick<Job, "runs" | "items"> & Partial<Pick<Job, "kill">>,
    moment?: Moment,
  ): Promise<Death> {
    this.#count += 1;
    const full: Job = {
      ...job,
      store: `sqlite:${this.#store}`,
      effects: this.#effects,
      salt: `s${this.#count}`,
    };
    const ended = await runProgram(full, moment);
    this.#look();
    if (ended.signal === "SIGKILL") {
      this.#deaths += 1;
      return "killed";
    }
    assert.equal(ended.code, 0, `the process ended with ${ended.code}: ${ended.stderr}`);
    return "finished";
  }

  /** Notes what is committed, now that nobody writes, and that nothing had begun before what it needs was. */
  #look(): void {
    if (!existsSync(this.#store)) return;
    const text = existsSync(this.#effects) ? readFileSync(this.#effects, "utf8") : "";
    const fresh = parseEffects(text.slice(this.#readChars));
    this.#readChars = text.length;
    const bytes = Buffer.byteLength(text);
    const database = new DatabaseSync(this.#store, { readOnly: true });
    try {
      const ended = new Set(listEnded(database));
      for (const { run, stage, item } of fresh) {
        for (const need of listNeeds(stage.split("#")[0] ?? "", item))
          assert.ok(ended.has(`${run} ${need}`), `"${stage}" began before "${need}" was committed`);
      }
      for (const name of listCommitted(database)) {
        if (!this.#committedAt.has(name)) this.#committedAt.set(name, bytes);
      }
    } finally {
      database.close();
    }
  }

  /** Lets what is left finish, then judges everything. Throws at the first thing that is not as it must be. */
  async judge(items: number): Promise<Verdict> {
    assert.equal(await this.run({ runs: 0, items }), "finished");
    const database = new DatabaseSync(this.#store, { readOnly: true });
    try {
      assertWhole(database);
      assertCounters(database);
      assertEvents(database);
    } finally {
      database.close();
    }
    const runs = await this.#assertResults();
    const { effects, repeated } = this.#assertEffects();
    return { deaths: this.#deaths, runs, effects, repeated };
  }

  async #assertResults(): Promise<number> {
    const reference = makeReference(undefined);
    const mill = await openMillrace({ store: `sqlite:${this.#store}`, pipelines: [reference] });
    try {
      let count = 0;
      let before: number | undefined;
      for (;;) {
        const page = await mill.store.listRuns({
          limit: 100,
          ...(before === undefined ? {} : { beforeNumber: before }),
        });
        for (const run of page) {
          const passage = JSON.parse(run.input) as Passage;
          const wanted = await reference.run(passage);
          const found = await mill.result(run.id);
          assert.equal(found.state, "succeeded", `run ${run.number}`);
          assert.deepEqual(found.outputs, wanted.outputs, `outputs of run ${run.number}`);
          assert.deepEqual(found.metrics, wanted.metrics, `metrics of run ${run.number}`);
          assert.deepEqual(run.metrics, wanted.metrics, `stored metrics of run ${run.number}`);
          assert.equal(run.warnings, wanted.warnings, `warnings of run ${run.number}`);
          count += 1;
        }
        before = page.at(-1)?.number;
        if (before === undefined) return count;
      }
    } finally {
      await mill.close();
    }
  }

  #assertEffects(): { readonly effects: number; readonly repeated: number } {
    const text = readFileSync(this.#effects, "utf8");
    const keys = new Map<string, string>();
    const attempts = new Map<string, number>();
    const seen = new Set<string>();
    let at = 0;
    let repeated = 0;
    for (const effect of parseEffects(text)) {
      const { run, stage, item, attempt, idempotencyKey, pid } = effect;
      const name = `${run} ${stage} ${item}`;
      const committedAt = this.#committedAt.get(name) ?? Infinity;
      assert.ok(at < committedAt, `${name} was committed, and was done again by process ${pid}`);
      at += Buffer.byteLength(JSON.stringify(effect)) + 1;
      const known = keys.get(name.split("#")[0] ?? "") ?? idempotencyKey;
      if (!stage.includes("#")) {
        assert.equal(idempotencyKey, known, `${name} has two idempotency keys`);
        keys.set(name, idempotencyKey);
        // Each process begins at 1 and goes up by one: what it did once it does not do again.
        const inProcess = `${name} ${pid}`;
        assert.equal(attempt, (attempts.get(inProcess) ?? 0) + 1, `attempts of ${inProcess}`);
        attempts.set(inProcess, attempt);
      }
      const once = `${name} ${attempt}`;
      if (seen.has(once)) repeated += 1;
      seen.add(once);
    }
    assert.equal(new Set(keys.values()).size, keys.size, "two share one idempotency key");
    return { effects: seen.size + repeated, repeated };
  }

  /** Deletes the folder. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

function runProgram(job: Job, moment: Moment | undefined): Promise<Ended> {
  const child = spawn(process.execPath, [...programWords(PROGRAM), JSON.stringify(job)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (moment === undefined || !text.includes(moment.word)) return;
    setTimeout(() => child.kill("SIGKILL"), moment.afterMs);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stderr }));
  });
}
