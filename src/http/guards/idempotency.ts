// `Idempotency-Key`: a request that comes twice is done once. The key belongs to the token and the route; with other
// contents it is refused, and while the first request is at work the second is asked to come again.

import { MillraceError } from "../../model/errors.ts";
import { IDEMPOTENCY_KEY_CHARS_MAX } from "../../model/limits.ts";
import type { KeptReply, Replies, ReplyHold } from "../../service/access/replies.ts";
import { canonicalJson, sha256Hex } from "../../std/json.ts";
import { jsonAnswer } from "../answers/answer.ts";
import { readAnswer, TextAnswer, type Answer } from "../answers/text-answer.ts";
import type { Caller, Route } from "../route.ts";
import { takesStream } from "./request-body.ts";

/** A request that may have been here before. */
export interface RepeatedRequest {
  readonly key: string;
  readonly caller: Caller;
  readonly route: Route;
  /** What it asks, besides its route: parts of the path, query, body. */
  readonly asked: unknown;
}

/** The key of a request; undefined: it brings none, or its route needs none. REQUEST_INVALID. */
export function readIdempotencyKey(headers: Headers, route: Route): string | undefined {
  const key = headers.get("idempotency-key");
  if (key === null || !(route.idempotent ?? route.method === "POST")) return undefined;
  if (takesStream(route)) {
    throw new MillraceError("REQUEST_INVALID", "A stream cannot have an Idempotency-Key.", {
      hint: "give each of its entries a key of its own",
    });
  }
  if (key.length <= IDEMPOTENCY_KEY_CHARS_MAX && /^[!-~]+$/.test(key)) return key;
  throw new MillraceError(
    "REQUEST_INVALID",
    `An Idempotency-Key has 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters.`,
  );
}

/** Does the work unless it was done before. IDEMPOTENCY_MISMATCH, IDEMPOTENCY_RUNNING. */
export async function answerOnce(
  replies: Replies,
  { key, caller, route, asked }: RepeatedRequest,
  work: (runId: string) => Promise<Answer>,
): Promise<Answer> {
  const scope = { tokenId: caller.tokenId, route: `${route.method} ${route.path}`, key };
  const claim = await replies.claim(scope, sha256Hex(canonicalJson(asked)));
  switch (claim.kind) {
    case "fresh":
      return await answerFresh(replies, claim.hold, work);
    case "kept":
      return replay(claim.reply);
    case "mismatch":
      throw new MillraceError(
        "IDEMPOTENCY_MISMATCH",
        "The Idempotency-Key was used for another request before.",
        { hint: "take a new key for what is new" },
      );
    case "running":
      throw new MillraceError(
        "IDEMPOTENCY_RUNNING",
        "The first request with this Idempotency-Key is still being worked on.",
        { retryable: true, details: { retryAfterMs: Math.min(claim.leftMs, 5_000) } },
      );
  }
}

async function answerFresh(
  replies: Replies,
  hold: ReplyHold,
  work: (runId: string) => Promise<Answer>,
): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await work(hold.runId);
  } catch (error) {
    // What was refused may be asked again; the refusal is what counts, whatever becomes of the key.
    await replies.free(hold).catch(() => undefined);
    throw error;
  }
  const { status, headers, text } = await readAnswer(answer);
  // Done is done: a reply that cannot be kept is still the reply. Its key is free again within a minute.
  await replies.keep(hold, { status, headers, body: text }).catch(() => undefined);
  return new TextAnswer(text, status, headers);
}

function replay({ status, headers, body }: KeptReply): TextAnswer {
  if (status === 413 && body === "") {
    throw new MillraceError("BODY_TOO_LARGE", "It was done; its reply is too large to be kept.");
  }
  return jsonAnswer(body, status, { ...headers, "idempotent-replayed": "true" });
}
