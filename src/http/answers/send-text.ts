// Text straight to the connection. A Response made of text makes a stream of it that is read piece by piece before
// anything leaves: half of what a short answer costs. So answers of text remember it, and are written in one go.

import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ServerResponse } from "node:http";

const texts = new WeakMap<Response, string>();

/** Remembers the text that an answer was made of. */
export function keepText(answer: Response, text: string): Response {
  texts.set(answer, text);
  return answer;
}

/** The text that an answer was made of, if it is known. */
export function textOf(answer: Response): string | undefined {
  return texts.get(answer);
}

/** What is sent. */
export interface TextMessage {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Sends it, and answers what tells the server that there is nothing left to send. */
export function sendText(
  outgoing: ServerResponse,
  { status, headers, text }: TextMessage,
): Response {
  // Pairs, since a header such as Set-Cookie may be there twice.
  const pairs = [...headers, ["content-length", `${Buffer.byteLength(text)}`]].flat();
  outgoing.writeHead(status, pairs);
  outgoing.end(text);
  return RESPONSE_ALREADY_SENT;
}
