// One client of the live feed that asks for every event. To follow fifty of them in one process it looks at the ends of
// a frame and not at all of it: its cursors, and when its oldest event was due; one frame in many is read whole.

import { WebSocket } from "ws";

const TOPIC = "events:complete=true";
/** One frame in so many is read whole. */
const READ_ONE_IN = 100;
/** The cursors stand within so many bytes of the beginning. */
const HEAD_BYTES = 300;

/** Where the feed is. */
export interface LivePlace {
  readonly url: string;
  readonly token: string;
}

/** A client. Close it. */
export class LiveClient {
  /** How late the oldest event of each frame was since the last `takeLate`, ms. */
  #lateMs: number[] = [];
  readonly #socket: WebSocket;
  readonly #opened: Promise<void>;
  #frames = 0;
  /** Number up to which it has all, or was told what it missed. */
  cursor = 0;
  gaps = 0;
  bytes = 0;
  isClosed = false;
  /** What a frame said that it should not have said; null: nothing. */
  fault: string | null = null;

  constructor({ url, token }: LivePlace) {
    this.#socket = new WebSocket(`${url.replace("http:", "ws:")}/ws/events`, "millrace.v1", {
      headers: { authorization: `Bearer ${token}` },
      perMessageDeflate: false,
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#opened = promise;
    this.#socket.on("error", reject);
    this.#socket.on("open", () => {
      this.#socket.send(JSON.stringify({ type: "subscribe", topic: TOPIC }));
      resolve();
    });
    this.#socket.on("close", () => (this.isClosed = true));
    this.#socket.on("message", (data) => {
      if (Buffer.isBuffer(data)) this.#take(data);
    });
  }

  /** Resolves once it has asked. */
  async open(): Promise<void> {
    await this.#opened;
  }

  /** Reads nothing from now on. */
  stall(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  takeLate(): readonly number[] {
    const late = this.#lateMs;
    this.#lateMs = [];
    return late;
  }

  close(): void {
    this.#socket.terminate();
  }

  #take(frame: Buffer): void {
    this.bytes += frame.byteLength;
    const head = frame.toString("latin1", 0, HEAD_BYTES);
    if (head.startsWith('{"type":"gap"')) this.gaps += 1;
    if (head.startsWith('{"type":"error"')) this.fault = head;
    if (head.startsWith('{"type":"done"')) this.cursor = Number(/"seq":(\d+)/.exec(head)?.[1]);
    if (!head.startsWith('{"type":"events"')) return;
    const nowMs = performance.timeOrigin + performance.now();
    const [, from, to] = /"from":(\d+),"to":(\d+)/.exec(head) ?? [];
    if (this.cursor > 0 && Number(from) !== this.cursor && this.gaps === 0) {
      this.fault = `A frame goes on at ${from}, and the one before ended at ${this.cursor}.`;
    }
    this.cursor = Number(to);
    this.#frames += 1;
    if (this.#frames % READ_ONE_IN === 0) this.#check(frame, Number(to) - Number(from));
    const at = frame.indexOf('"dueMs":');
    if (at < 0) return;
    this.#lateMs.push(nowMs - Number.parseFloat(frame.toString("latin1", at + 8, at + 32)));
  }

  /** All events are ours, so that their numbers have no holes. */
  #check(frame: Buffer, count: number): void {
    const { events }: { events: readonly unknown[] } = JSON.parse(frame.toString("utf8"));
    if (events.length !== count) {
      this.fault = `A frame has ${events.length} events, and should have ${count}.`;
    }
  }
}
