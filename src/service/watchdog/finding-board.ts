// What the holder of the watchdog's duty found, in the store: other processes show it, and whoever takes the duty over
// knows what was told already.

import { isPlainRecord } from "../../model/compile/option-reader.ts";
import { WATCH_RULES, type Seen } from "../../policy/watchdog/finding.ts";
import type { Json } from "../../std/json.ts";
import type { Store } from "../../storage/store.ts";
import type { MillContext } from "../mill-context.ts";

/** In the collection "duties". */
const KEY = "watchdog-findings";

/** What is there; what is damaged is passed over. */
export async function readBoard(store: Pick<Store, "findRecord">): Promise<readonly Seen[]> {
  return parseBoard(await readValue(store));
}

async function readValue(store: Pick<Store, "findRecord">): Promise<Json | undefined> {
  return (await store.findRecord("duties", KEY))?.value;
}

function parseBoard(value: unknown): readonly Seen[] {
  return Array.isArray(value) ? value.flatMap(parseSeen) : [];
}

/** Findings in the store. */
export class FindingBoard {
  readonly #mill: Pick<MillContext, "store" | "committer">;
  /** As it is there, as far as this process knows; null: it does not. */
  #text: string | null = null;

  constructor(mill: Pick<MillContext, "store" | "committer">) {
    this.#mill = mill;
  }

  /** What is there. Asked by who takes the duty over, before it writes. */
  async read(): Promise<readonly Seen[]> {
    // Another may have written since.
    this.#text = null;
    const value = await readValue(this.#mill.store);
    this.#text = JSON.stringify(value ?? []);
    return parseBoard(value);
  }

  /** Writes what has changed; nothing where nothing has. */
  async write(seen: readonly Seen[]): Promise<void> {
    const value = seen.filter(({ isFinding }) => isFinding).map(toJson);
    const text = JSON.stringify(value);
    if (text === this.#text) return;
    await this.#mill.committer.write({
      kind: "put-records",
      puts: [{ collection: "duties", key: KEY, expected: null, value }],
      events: [],
    });
    this.#text = text;
  }
}

function toJson({ sighting, sinceMs }: Seen): Json {
  const { rule, subject, message, next, level } = sighting;
  return { rule, subject, message, sinceMs, next: next ?? null, level: level ?? "warn" };
}

function parseSeen(value: unknown): readonly Seen[] {
  if (!isPlainRecord(value)) return [];
  const { subject, message, sinceMs, next, level } = value;
  const rule = WATCH_RULES.find((known) => known === value["rule"]);
  if (rule === undefined || typeof subject !== "string" || typeof message !== "string") return [];
  if (typeof sinceMs !== "number") return [];
  const sighting = {
    rule,
    subject,
    message,
    level: level === "red" ? ("red" as const) : ("warn" as const),
    ...(typeof next === "string" ? { next } : {}),
  };
  return [{ sighting, sinceMs, isFinding: true }];
}
