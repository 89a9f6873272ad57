// Reads the checkpoints that a run which goes on will use: what cannot be read any more, or is no longer what was
// stored, is done again, counted as a warning, and kept for inspection in the folder of the run. Every output is
// read once more for it, as it is at the end of the run anyway. What was changed by hand into another sound value of
// an item cannot be told from a true one. A stage that must not be repeated unseen, or that this run was started
// without, is left as it is: who reads it fails with VALUE_DAMAGED, and `resume --from` does it again.

import { constants, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DAMAGED_VERSION } from "../../engine/restore/restore.ts";
import type { ItemRecord, RunCheckpoints, StageRecord } from "../../model/checkpoint.ts";
import type { PipelineDefinition } from "../../model/definition.ts";
import { isMillraceError } from "../../model/errors.ts";
import type { StoredValue } from "../../model/outcome.ts";
import type { RunRecord } from "../../model/run.ts";
import type { DamagedStage, ResetPlan } from "../../policy/reuse.ts";
import { sha256Hex, versionOfText } from "../../std/json.ts";
import { decodeValue } from "../../std/value.ts";
import type { MillContext } from "../mill-context.ts";

/** Checkpoints that can be read, and what is done with each. */
export interface CheckedCheckpoints {
  /** Items whose output is lost no longer fit what they were made from. */
  readonly checkpoints: RunCheckpoints;
  readonly plan: ResetPlan;
  /** How many checkpoints were damaged. */
  readonly damaged: number;
}

/** What is checked. */
export interface CheckRequest {
  readonly run: RunRecord;
  readonly definition: PipelineDefinition;
  readonly checkpoints: RunCheckpoints;
}

/** Decides with what is damaged; asked again when something is. */
type Decide = (damaged: ReadonlyMap<string, DamagedStage>) => ResetPlan;

/** Checks what would be used, and decides again without what is damaged. */
export async function checkCheckpoints(
  mill: MillContext,
  request: CheckRequest,
  decide: Decide,
): Promise<CheckedCheckpoints> {
  const check = new Check(mill, request);
  const wish = decide(check.damaged);
  await check.read(wish);
  const plan = check.count === 0 ? wish : decide(check.damaged);
  return { checkpoints: check.toCheckpoints(), plan, damaged: check.count };
}

class Check {
  readonly damaged: Map<string, DamagedStage> = new Map();
  /** Damaged checkpoints. */
  count = 0;
  readonly #mill: MillContext;
  readonly #request: CheckRequest;
  readonly #records: ReadonlyMap<string, StageRecord>;
  readonly #lostItems: Map<string, Set<string>> = new Map();

  constructor(mill: MillContext, request: CheckRequest) {
    this.#mill = mill;
    this.#request = request;
    this.#records = new Map(request.checkpoints.stages.map((record) => [record.stage, record]));
  }

  /** Reads what this plan uses. */
  async read(plan: ResetPlan): Promise<void> {
    const { run, definition } = this.#request;
    const { only } = run.settings;
    for (const { stage, position, action } of plan.stages) {
      if (action === "drop" || definition.stages[position]?.idempotent === false) continue;
      if (only === undefined || only.includes(stage)) await this.#checkStage(stage);
    }
  }

  toCheckpoints(): RunCheckpoints {
    const { checkpoints } = this.#request;
    if (this.#lostItems.size === 0) return checkpoints;
    const items = [...checkpoints.items].map(([stage, list]) => {
      const lost = this.#lostItems.get(stage);
      if (lost === undefined) return [stage, list] as const;
      return [stage, list.map((item) => (lost.has(item.key) ? forget(item) : item))] as const;
    });
    return { ...checkpoints, items: new Map(items) };
  }

  async #checkStage(stage: string): Promise<void> {
    const record = this.#records.get(stage);
    if (record?.output !== null && record?.output !== undefined) {
      if (!(await this.#isSound(record.output, record.outputVersion))) {
        const kept = this.#keep(stage, null, record.output);
        this.count += 1;
        this.damaged.set(stage, { action: "drop", reason: `its checkpoint was damaged${kept}` });
        return;
      }
    }
    for (const { key, state, output } of this.#request.checkpoints.items.get(stage) ?? []) {
      if (state !== "succeeded" || output === null) continue;
      // Most are in their rows: there may be a hundred thousand, and none of these is waited for.
      const isSound =
        output.kind === "inline"
          ? isSoundText(output.text, null)
          : await this.#isSound(output, null);
      if (!isSound) this.#loseItem(stage, key, output);
    }
  }

  #loseItem(stage: string, key: string, output: StoredValue): void {
    const kept = this.#keep(stage, key, output);
    const lost = this.#lostItems.get(stage) ?? new Set();
    this.#lostItems.set(stage, lost.add(key));
    this.count += 1;
    if (this.damaged.has(stage)) return;
    const reason = `the checkpoint of item "${key}" was damaged${kept}`;
    this.damaged.set(stage, { action: "open", reason });
  }

  async #isSound(output: StoredValue, version: string | null): Promise<boolean> {
    if (output.kind === "inline") return isSoundText(output.text, version);
    try {
      // Its name is the hash of its content, which is looked at when it is read.
      return (await this.#mill.store.blobs.get(output.blob)) !== undefined;
    } catch (error) {
      if (isMillraceError(error) && error.code === "VALUE_DAMAGED") return false;
      throw error;
    }
  }

  /** Puts what is left of a damaged output aside; says where, as the end of a sentence. */
  #keep(stage: string, item: string | null, output: StoredValue): string {
    const { run } = this.#request;
    const folder = join(this.#mill.world.files.runFolder(run.id), "damaged");
    const of = item === null ? stage : `${stage}.${sha256Hex(item).slice(0, 12)}`;
    const path = join(folder, `${of}.${run.epoch}.json`);
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      if (output.kind === "inline") writeFileSync(path, output.text, { flag: "wx", mode: 0o600 });
      else copyFileSync(this.#mill.store.blobs.locate(output.blob), path, constants.COPYFILE_EXCL);
      return ` (kept: ${path})`;
    } catch (error) {
      // A file that is gone leaves nothing; that it cannot be kept must not keep the run from going on.
      return codeOf(error) === "ENOENT" ? " (nothing of it is left)" : "";
    }
  }
}

function isSoundText(text: string, version: string | null): boolean {
  if (version !== null) return versionOfText(text) === version;
  try {
    decodeValue(text);
    return true;
  } catch {
    return false;
  }
}

function forget(item: ItemRecord): ItemRecord {
  return { ...item, inputVersion: DAMAGED_VERSION };
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
