// Reads of the API at a steady rate, whatever the server does: a request is sent when it is due, on one of many kept
// connections, and its time counts from then. What is asked is drawn, with the weights below, from fixed dice.

import { Pool } from "undici";
import { toPercentiles, type Percentiles } from "./latencies.ts";

const CONNECTIONS = 64;
/** A server that is so far behind, s, cannot follow: no more is asked in that round. */
const BEHIND_S_MAX = 5;
const SEED = 7;

/** A kind of request: so many of a hundred, and its address, given a run that is there. */
interface Kind {
  readonly weight: number;
  readonly path: (run: string) => string;
}

const KINDS: readonly Kind[] = [
  { weight: 25, path: (run) => `runs/${run}` },
  { weight: 15, path: () => "runs?limit=50" },
  { weight: 8, path: () => "runs?state=failed&limit=50" },
  { weight: 8, path: (run) => `runs?pipeline=p${toDigit(run)}&limit=50` },
  { weight: 4, path: (run) => `runs?tag=site=s${toDigit(run)}&limit=20` },
  { weight: 4, path: () => "runs?state=waiting&limit=20" },
  { weight: 8, path: (run) => `runs/${run}/events` },
  { weight: 4, path: (run) => `runs/${run}/why` },
  { weight: 4, path: (run) => `runs/${run}/graph` },
  { weight: 5, path: () => "queue" },
  { weight: 5, path: () => "health" },
  { weight: 5, path: () => "pipelines" },
  { weight: 3, path: () => "events?limit=50" },
  { weight: 2, path: () => "schedules" },
];

/** What one round measured. */
export interface ApiRound {
  readonly all: Percentiles;
  /** Answers other than 200, and requests without one. */
  readonly failed: number;
  /** Answers per second, over the whole round. */
  readonly perSecond: number;
}

/** Who asks one server. Close it. */
export class ApiLoad {
  /** Times of all rounds by kind of request, ms. */
  readonly times: Map<string, number[]> = new Map();
  readonly #pool: Pool;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #runs: readonly string[];
  readonly #draw: () => number = makeDice(SEED);
  /** First kind, status and text of what was no 200; said once. */
  #hasComplained = false;

  constructor({ url, token, runs }: { url: string; token: string; runs: readonly string[] }) {
    this.#pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
    this.#headers = { authorization: `Bearer ${token}` };
    this.#runs = runs;
  }

  /** Asks for so long, and waits for the last answer. What is not asked any more counts as failed. */
  async run({ perSecond, forMs }: { perSecond: number; forMs: number }): Promise<ApiRound> {
    const timesMs: number[] = [];
    const asked: Promise<void>[] = [];
    let failed = 0;
    let answered = 0;
    const begunMs = performance.now();
    const total = Math.round((perSecond * forMs) / 1_000);
    await new Promise<void>((resolve) => {
      const sendDue = (): void => {
        const due = Math.min(
          total,
          Math.floor(((performance.now() - begunMs) * perSecond) / 1_000),
        );
        while (asked.length < due) {
          const dueMs = begunMs + (asked.length * 1_000) / perSecond;
          asked.push(
            this.#ask(dueMs).then((tookMs) => {
              answered += 1;
              if (tookMs === null) failed += 1;
              else timesMs.push(tookMs);
            }),
          );
        }
        const isLost = due - answered > perSecond * BEHIND_S_MAX;
        if (isLost) failed += total - due;
        if (due === total || isLost) resolve();
        else setTimeout(sendDue, 1);
      };
      sendDue();
    });
    await Promise.all(asked);
    const seconds = (performance.now() - begunMs) / 1_000;
    return { all: toPercentiles(timesMs), failed, perSecond: timesMs.length / seconds };
  }

  /** Asks each kind so often, one request after the other: what it takes where nothing else is asked, ms. */
  async runAlone(count: number): Promise<ReadonlyMap<string, readonly number[]>> {
    const found = new Map<string, readonly number[]>();
    for (const kind of KINDS) {
      const timesMs: number[] = [];
      for (let index = 0; index < count; index += 1) {
        const tookMs = await this.#askFor(kind, performance.now());
        if (tookMs !== null) timesMs.push(tookMs);
      }
      found.set(nameOf(kind), timesMs);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.#pool.close();
  }

  /** Time from when it was due to the last byte; null: no 200. */
  async #ask(dueMs: number): Promise<number | null> {
    const kind = this.#drawKind();
    const tookMs = await this.#askFor(kind, dueMs);
    if (tookMs !== null) this.#note(nameOf(kind), tookMs);
    return tookMs;
  }

  async #askFor(kind: Kind, dueMs: number): Promise<number | null> {
    const run = this.#runs[Math.floor(this.#draw() * this.#runs.length)];
    if (run === undefined) throw new Error("No run is known to ask for.");
    const path = `/api/v1/${kind.path(run)}`;
    try {
      const { statusCode, body } = await this.#pool.request({
        method: "GET",
        path,
        headers: this.#headers,
      });
      const text = await body.text();
      if (statusCode !== 200) return this.#complain(path, `${statusCode} ${text.slice(0, 300)}`);
    } catch (error) {
      return this.#complain(path, String(error));
    }
    return performance.now() - dueMs;
  }

  #note(kind: string, tookMs: number): void {
    const known = this.times.get(kind);
    if (known === undefined) this.times.set(kind, [tookMs]);
    else known.push(tookMs);
  }

  #complain(path: string, what: string): null {
    if (!this.#hasComplained) console.error(`  GET ${path}: ${what}`);
    this.#hasComplained = true;
    return null;
  }

  #drawKind(): Kind {
    let left = this.#draw() * KINDS.reduce((sum, { weight }) => sum + weight, 0);
    for (const kind of KINDS) {
      left -= kind.weight;
      if (left < 0) return kind;
    }
    throw new Error("The weights add up to all there is.");
  }
}

function nameOf(kind: Kind): string {
  return kind.path("{run}").replace(/(?<=[ps])\d&/, "N&");
}

/** 0 to 9 by a run's id: the same run, the same digit. */
function toDigit(run: string): number {
  return run.charCodeAt(run.length - 1) % 10;
}

/** mulberry32: small, and the same on every machine. */
function makeDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
