// A client of the live sockets: keeps every frame, parsed by the contract, and waits for those it is asked for.

import { onTestFinished } from "vitest";
import { WebSocket, type ClientOptions } from "ws";
import { liveFrame, type LiveFrame, type LiveRequest } from "../../../src/http/contract/live.ts";

export interface Closed {
  readonly code: number;
  readonly reason: string;
}

export class LiveClient {
  readonly ws: WebSocket;
  readonly frames: LiveFrame[] = [];
  /** Status of a handshake that was refused. */
  readonly refused: Promise<number>;
  readonly closed: Promise<Closed>;
  readonly opened: Promise<void>;
  #wake: (() => void)[] = [];

  constructor(
    url: string,
    options: ClientOptions & { readonly protocols?: readonly string[] } = {},
  ) {
    const { protocols = [], ...rest } = options;
    const ws = new WebSocket(url, [...protocols], { perMessageDeflate: false, ...rest });
    this.ws = ws;
    ws.on("message", (data: Buffer) => this.#hear(data.toString()));
    ws.on("error", () => undefined);
    this.opened = new Promise((resolve) => ws.once("open", () => resolve()));
    this.closed = new Promise((resolve) =>
      ws.once("close", (code, reason) => resolve({ code, reason: reason.toString() })),
    );
    this.refused = new Promise((resolve) =>
      ws.once("unexpected-response", (request, response) => {
        resolve(response.statusCode ?? 0);
        response.resume();
        request.destroy();
      }),
    );
    onTestFinished(() => ws.terminate());
  }

  send(request: LiveRequest): void {
    this.ws.send(JSON.stringify(request));
  }

  /** The first frame from `start` on that is one of those; says what came where none does. */
  async until(
    isIt: (frame: LiveFrame) => boolean,
    what: string,
    start: number = 0,
  ): Promise<LiveFrame> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const kinds = this.frames.slice(-20).map(({ type }) => type);
        reject(new Error(`Waited for ${what}; the last frames were ${kinds.join(", ")}.`));
      }, 4_000);
    });
    try {
      for (let place = start; ; place++) {
        while (place >= this.frames.length) {
          await Promise.race([new Promise<void>((resolve) => this.#wake.push(resolve)), late]);
        }
        const frame = this.frames[place];
        if (frame !== undefined && isIt(frame)) return frame;
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Numbers of all events that came, in order. */
  get seqs(): number[] {
    return this.frames.flatMap((frame) =>
      frame.type === "events"
        ? frame.events.flatMap((event) =>
            typeof event["seq"] === "number" && event["seq"] > 0 ? [event["seq"]] : [],
          )
        : [],
    );
  }

  #hear(text: string): void {
    this.frames.push(liveFrame.parse(JSON.parse(text)));
    for (const wake of this.#wake.splice(0)) wake();
  }
}
