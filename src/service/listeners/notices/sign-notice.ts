// Signs a notice as Standard Webhooks has it, so that receivers can use what they have: id, time and signature in
// headers of their own, HMAC-SHA256 over all three and the body.

import { createHmac } from "node:crypto";

/** What is signed. */
export interface SignedParts {
  readonly id: string;
  /** UTC ms of this try: what is older than some minutes need not be believed. */
  readonly atMs: number;
  readonly body: string;
}

/** The headers. Without a key: unsigned. */
export function toSignedHeaders(
  { id, atMs, body }: SignedParts,
  key: Buffer | undefined,
): Readonly<Record<string, string>> {
  const seconds = `${Math.floor(atMs / 1_000)}`;
  const headers = { "webhook-id": id, "webhook-timestamp": seconds };
  if (key === undefined) return headers;
  const mac = createHmac("sha256", key).update(`${id}.${seconds}.${body}`).digest("base64");
  return { ...headers, "webhook-signature": `v1,${mac}` };
}
