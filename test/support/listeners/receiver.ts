// A server on loopback that takes what is posted to it, and answers as it is told.

import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: none. */
  readonly body?: string;
}

export interface Receiver {
  readonly url: string;
  readonly port: number;
  /** Everything so far. */
  readonly received: readonly Received[];
  /** The next one that nobody has taken. */
  next(): Promise<Received>;
}

/** Answers with these one after the other, the last for ever; null: it never answers. Closed with the test. */
export async function startReceiver(...replies: readonly (Reply | null)[]): Promise<Receiver> {
  const received: Received[] = [];
  let taken = 0;
  let wake = Promise.withResolvers<void>();
  const server: Server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on("data", (piece: Buffer) => pieces.push(piece));
    request.on("end", () => {
      const place = Math.min(received.length, replies.length - 1);
      const reply = replies[place] ?? null;
      const body = Buffer.concat(pieces).toString("utf8");
      received.push({ path: request.url ?? "", headers: request.headers, body });
      if (reply !== null) response.writeHead(reply.status, reply.headers).end(reply.body ?? "");
      wake.resolve();
      wake = Promise.withResolvers();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo; // A listener with a port has an address with one.
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    next: async () => {
      while (taken >= received.length) await wake.promise;
      const one = received[taken];
      taken += 1;
      if (one === undefined) throw new Error("Nothing was received.");
      return one;
    },
  };
}
