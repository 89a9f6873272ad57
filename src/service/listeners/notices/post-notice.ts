// One POST to an address that somebody configured: the name is resolved once, every address behind it is judged, and
// the connection goes to one of those that were judged. Redirects are answers, not followed. Nothing of the answer but
// its status and when to come again is looked at.

import { lookup, type LookupAddress } from "node:dns";
import { request as requestPlain, type IncomingMessage, type RequestOptions } from "node:http";
import { request as requestTls } from "node:https";
import { isIP } from "node:net";
import { NOTICE_ANSWER_BYTES_MAX } from "../../../model/limits.ts";
import { PermanentError } from "../../../model/errors.ts";
import { isPublicAddress } from "../../../std/network/public-address.ts";

/** What is sent where. */
export interface NoticePost {
  /** Name of the target, for errors: its address may be a secret. */
  readonly target: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** True: addresses of this machine and of private networks are allowed. */
  readonly allowsPrivate: boolean;
  readonly signal: AbortSignal;
}

/** What came back. */
export interface PostAnswer {
  readonly status: number;
  /** As its header says; undefined: it has none. */
  readonly retryAfter: string | undefined;
}

/** Sends it. Rejects with what the network says; PermanentError where an address is not allowed. */
export async function postNotice(post: NoticePost): Promise<PostAnswer> {
  const { url, body, headers, signal, allowsPrivate } = post;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host) !== 0 && !allowsPrivate && !isPublicAddress(host)) throw notPublic(post.target);
  const answer = Promise.withResolvers<PostAnswer>();
  const send = url.protocol === "https:" ? requestTls : requestPlain;
  const length = `${Buffer.byteLength(body)}`;
  const outgoing = send(
    url,
    {
      method: "POST",
      headers: { ...headers, "content-length": length },
      // A connection of its own: none is kept for a notice an hour later.
      agent: false,
      signal,
      lookup: makeLookup(post),
    },
    (incoming) => readAnswer(incoming, answer),
  );
  outgoing.on("error", answer.reject);
  outgoing.end(body);
  return await answer.promise;
}

function readAnswer(incoming: IncomingMessage, answer: PromiseWithResolvers<PostAnswer>): void {
  const { statusCode = 0, headers } = incoming;
  let bytes = 0;
  incoming.on("data", (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > NOTICE_ANSWER_BYTES_MAX) incoming.destroy();
  });
  // However it ends: the status has been said.
  incoming.on("error", () => undefined);
  incoming.on("close", () =>
    answer.resolve({ status: statusCode, retryAfter: headers["retry-after"] }),
  );
}

function makeLookup({ target, allowsPrivate }: NoticePost): NonNullable<RequestOptions["lookup"]> {
  return (hostname, options, done) => {
    lookup(hostname, { all: true }, (error, found) => {
      const fault = error ?? findFault(found, { target, allowsPrivate });
      const [first] = found ?? [];
      if (fault !== null) done(fault, []);
      else if (options.all === true) done(null, found);
      else done(null, first?.address ?? "", first?.family);
    });
  };
}

/** One address that is not allowed spoils all: whoever owns the name decides which one is taken. */
function findFault(
  found: readonly LookupAddress[],
  { target, allowsPrivate }: Pick<NoticePost, "target" | "allowsPrivate">,
): Error | null {
  const isAllowed = allowsPrivate || found.every(({ address }) => isPublicAddress(address));
  return isAllowed && found.length > 0 ? null : notPublic(target);
}

function notPublic(target: string): PermanentError {
  return new PermanentError(
    `The address of target "${target}" is not public; its allowPrivate says whether it may be.`,
  );
}
