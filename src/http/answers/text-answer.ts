// Answers that are text, and their way straight to the connection. A Response made of text makes a stream of it that
// is read piece by piece before anything leaves, which is half of what a short answer costs: so it is made only where
// there is no connection to write to.

import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { ServerResponse } from "node:http";

/** An answer that is text, or that has no body. */
export class TextAnswer {
  readonly status: number;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** Null: no body. */
  readonly text: string | null;

  constructor(text: string | null, status: number, headers: Readonly<Record<string, string>>) {
    this.text = text;
    this.status = status;
    this.headers = headers;
  }
}

/** What is answered, before it is finished. */
export type Answer = TextAnswer | Response;

/** A whole answer: its status, its text and its headers. */
export type WholeAnswer = Pick<TextAnswer, "status" | "headers"> & { readonly text: string };

/** Reads an answer to its end. */
export async function readAnswer(answer: Answer): Promise<WholeAnswer> {
  const { status } = answer;
  if (answer instanceof TextAnswer) {
    return { status, headers: answer.headers, text: answer.text ?? "" };
  }
  return { status, headers: Object.fromEntries(answer.headers), text: await answer.text() };
}

/** Names and values of headers, one after the other. */
export type HeaderPairs = readonly string[];

/** The same answer for whoever has no connection. */
export function toResponse(
  { status, text }: Pick<TextAnswer, "status" | "text">,
  pairs: HeaderPairs,
): Response {
  const headers = new Headers();
  for (let at = 0; at < pairs.length; at += 2) headers.append(pairs[at] ?? "", pairs[at + 1] ?? "");
  return new Response(text, { status, headers });
}

/** Sends it, and answers what tells the server that there is nothing left to send. */
export function sendAnswer(
  outgoing: ServerResponse,
  { status, text }: Pick<TextAnswer, "status" | "text">,
  pairs: HeaderPairs,
): Response {
  if (text === null) {
    outgoing.writeHead(status, [...pairs]).end();
  } else {
    outgoing.writeHead(status, [...pairs, "content-length", `${Buffer.byteLength(text)}`]);
    outgoing.end(text);
  }
  return RESPONSE_ALREADY_SENT;
}
