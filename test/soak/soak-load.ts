// What is asked of the server of a soak: runs at a steady rate, some reads, and clients of the live feed that come and
// go, because what leaks mostly leaks with those who leave.

import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";

const READS = ["queue", "runs?limit=20", "health", "pipelines", "events?limit=20"] as const;
const READ_MS = 500;
/** Tries to read the counts, and the time between two of them, ms. */
const TRIES_MAX = 60;
const TRY_MS = 1_000;
const SOCKETS = 3;
/** So long a socket stays, ms; the next one follows at once. */
const SOCKET_MS = 5_000;
const TOPICS = ["overview", "runs", "events"] as const;

/** Where to and how fast. */
export interface LoadTerms {
  readonly url: string;
  readonly token: string;
  readonly runsPerSecond: number;
}

/** Asks until it is stopped. */
export class SoakLoad {
  readonly #terms: LoadTerms;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #pending: Set<Promise<void>> = new Set();
  readonly #sockets: Set<WebSocket> = new Set();
  #begunMs = 0;
  #sent = 0;
  #reads = 0;
  #isStopped = false;
  /** Runs that the server took. */
  queued = 0;
  /** Sockets that were opened. */
  opened = 0;
  frames = 0;
  /** The first of each kind of failure. */
  readonly faults: Map<string, number> = new Map();

  constructor(terms: LoadTerms) {
    this.#terms = terms;
    this.#headers = {
      authorization: `Bearer ${terms.token}`,
      "content-type": "application/json",
    };
  }

  start(): void {
    this.#begunMs = performance.now();
    this.#timers.push(
      setInterval(() => this.#queueDue(), 20),
      setInterval(() => this.#keep(this.#read()), READ_MS),
    );
    for (let index = 0; index < SOCKETS; index += 1) this.#openSocket(index);
  }

  /** Nothing more is asked; resolves once all is answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.terminate();
    await Promise.all(this.#pending);
  }

  /** Runs by state, and those that wait or run together. A server that does not answer is asked again for a while. */
  async readCounts(): Promise<{ readonly depth: number; readonly counts: Record<string, number> }> {
    for (let tries = 1; ; tries += 1) {
      const answer = await fetch(`${this.#terms.url}/api/v1/queue`, { headers: this.#headers });
      const text = await answer.text();
      if (answer.status === 200) {
        const { counts }: { counts: Record<string, number> } = JSON.parse(text);
        const of = (state: string): number => counts[state] ?? 0;
        return { depth: of("queued") + of("running") + of("waiting"), counts };
      }
      this.#fail(`GET queue: ${answer.status}`);
      if (tries === TRIES_MAX) throw new Error(`The server does not tell its queue: ${text}`);
      await sleep(TRY_MS);
    }
  }

  #queueDue(): void {
    const seconds = (performance.now() - this.#begunMs) / 1_000;
    const due = Math.floor(seconds * this.#terms.runsPerSecond);
    for (; this.#sent < due; this.#sent += 1) this.#keep(this.#queue(this.#sent));
  }

  async #queue(number: number): Promise<void> {
    const response = await fetch(`${this.#terms.url}/api/v1/pipelines/soak/runs`, {
      method: "POST",
      headers: this.#headers,
      body: JSON.stringify({ input: { number }, key: `run-${number}` }),
    });
    await response.text();
    if (response.status === 201) this.queued += 1;
    else this.#fail(`POST runs: ${response.status}`);
  }

  async #read(): Promise<void> {
    const path = READS[this.#reads % READS.length] ?? "queue";
    this.#reads += 1;
    const response = await fetch(`${this.#terms.url}/api/v1/${path}`, { headers: this.#headers });
    await response.text();
    if (response.status !== 200) this.#fail(`GET ${path}: ${response.status}`);
  }

  #openSocket(index: number): void {
    const { url, token } = this.#terms;
    const socket = new WebSocket(`${url.replace("http:", "ws:")}/ws/events`, "millrace.v1", {
      headers: { authorization: `Bearer ${token}` },
    });
    this.#sockets.add(socket);
    socket.on("open", () => {
      this.opened += 1;
      socket.send(JSON.stringify({ type: "subscribe", topic: TOPICS[index % TOPICS.length] }));
      // One leaves by the book, one does not.
      const leave = (): void => (index % 2 === 0 ? socket.close() : socket.terminate());
      this.#timers.push(setTimeout(leave, SOCKET_MS));
    });
    socket.on("message", () => (this.frames += 1));
    socket.on("error", (error) => this.#fail(`socket: ${error.message}`));
    socket.on("close", () => {
      this.#sockets.delete(socket);
      if (this.#isStopped) return;
      this.#timers.push(setTimeout(() => this.#openSocket(index), 100));
    });
  }

  #keep(work: Promise<void>): void {
    const kept = work
      .catch((error: unknown) => this.#fail(`fetch: ${String(error)}`))
      .finally(() => this.#pending.delete(kept));
    this.#pending.add(kept);
  }

  #fail(what: string): void {
    if (this.#isStopped) return;
    this.faults.set(what, (this.faults.get(what) ?? 0) + 1);
  }
}
