// Replies to requests that a client may send again: each is kept under the key that the client chose, so that the
// second time nothing is done and the same is answered. While the first is at work its key is held; if it dies, for
// a minute at most. A run that the request makes has an id that is chosen with the key: whoever asks again after a
// crash makes the same run, which exists or does not. Stored in the collection "replies":
//   {"fingerprint": SHA-256 of what was asked, "run": id, "heldUntilMs": while it is at work,
//    "reply": null until it is done, else {"status", "headers", "body"}}

import { REPLY_KEPT_MS_DEFAULT, REPLY_RUNNING_MS_DEFAULT } from "../../model/defaults.ts";
import { KEPT_REPLY_BYTES_MAX, RECORD_PUTS_MAX } from "../../model/limits.ts";
import { sha256Hex } from "../../std/json.ts";
import { isRecord } from "../../std/record.ts";
import type { RecordPut, StoreRecord } from "../../storage/records/record-write.ts";
import { contextOf, type MillContext } from "../mill-context.ts";

/** A reply as it was given. */
export interface KeptReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Whose key it is, and for what. */
export interface ReplyScope {
  readonly tokenId: string;
  /** Method and path of the route, with its braces. */
  readonly route: string;
  /** As the client chose it. */
  readonly key: string;
}

/** What is known of a key. */
export type ReplyClaim =
  /** Nothing: it is held for whoever asked now. */
  | { readonly kind: "fresh"; readonly hold: ReplyHold }
  | { readonly kind: "kept"; readonly reply: KeptReply }
  /** It was used for something else. */
  | { readonly kind: "mismatch" }
  /** The first request is still at work, for so long at most. */
  | { readonly kind: "running"; readonly leftMs: number };

/** A key that is held. */
export interface ReplyHold {
  readonly key: string;
  readonly fingerprint: string;
  readonly revision: number;
  /** Id of the run that the request makes, if it makes one: the same however often it is sent. */
  readonly runId: string;
}

/** How often what is too old is looked for, ms. */
const SWEEP_MS = 60_000;

/** The replies of one store, as one server keeps them. */
export class Replies {
  readonly #mill: MillContext;
  #sweptMs: number = -Infinity;

  constructor(mill: object) {
    this.#mill = contextOf(mill);
  }

  /** Holds the key for this request, or says what became of the one that held it before. */
  async claim(scope: ReplyScope, fingerprint: string): Promise<ReplyClaim> {
    const { store } = this.#mill;
    const key = sha256Hex(JSON.stringify([scope.tokenId, scope.route, scope.key]));
    const record = await store.findRecord("replies", key);
    const nowMs = store.nowMs();
    const known = record === undefined ? undefined : parseKnown(record, nowMs);
    const judged = known === undefined ? undefined : judge(known, fingerprint, nowMs);
    if (judged !== undefined) return judged;
    const runId = known?.fingerprint === fingerprint ? known.runId : this.#mill.nextId();
    const heldUntilMs = nowMs + REPLY_RUNNING_MS_DEFAULT;
    const result = await this.#put({
      key,
      expected: record?.revision ?? 0,
      value: { fingerprint, run: runId, heldUntilMs, reply: null },
      dueAtMs: nowMs + REPLY_KEPT_MS_DEFAULT,
    });
    // Another one was quicker: the client comes back and learns what became of it.
    if (result.kind !== "recorded") return { kind: "running", leftMs: 1_000 };
    const revision = result.records[0]?.revision ?? 0;
    return { kind: "fresh", hold: { key, fingerprint, revision, runId } };
  }

  /** Keeps what was answered. One that is too large for a record is kept as a refusal that says so. */
  async keep({ key, fingerprint, revision, runId }: ReplyHold, reply: KeptReply): Promise<void> {
    const isLarge = Buffer.byteLength(reply.body) > KEPT_REPLY_BYTES_MAX;
    const kept = isLarge ? { status: 413, headers: {}, body: "" } : reply;
    await this.#put({
      key,
      expected: revision,
      value: { fingerprint, run: runId, heldUntilMs: 0, reply: { ...kept } },
      dueAtMs: this.#mill.store.nowMs() + REPLY_KEPT_MS_DEFAULT,
    });
    await this.#sweep();
  }

  /** Frees the key: what was asked was refused, and may be asked again, or something else. */
  async free({ key, fingerprint, revision, runId }: ReplyHold): Promise<void> {
    await this.#put({
      key,
      expected: revision,
      // Nobody knows whether it was done before it failed, so that its run is remembered.
      value: { fingerprint, run: runId, heldUntilMs: 0, reply: null },
      dueAtMs: this.#mill.store.nowMs() + REPLY_KEPT_MS_DEFAULT,
    });
  }

  /** Old ones go when others come: many with each while there are many, so that they go faster than others come. */
  async #sweep(): Promise<void> {
    const { store, world } = this.#mill;
    if (world.clock.monotonicMs() - this.#sweptMs < SWEEP_MS) return;
    this.#sweptMs = world.clock.monotonicMs();
    const old = await store.listDueRecords({
      collection: "replies",
      untilMs: store.nowMs(),
      limit: RECORD_PUTS_MAX,
    });
    if (old.length === 0) return;
    if (old.length === RECORD_PUTS_MAX) this.#sweptMs = -Infinity;
    // Where one of them is held anew meanwhile none goes now.
    await this.#put(
      ...old.map(({ key, revision }) => ({ key, expected: revision, value: undefined })),
    );
  }

  async #put(
    ...puts: readonly Omit<RecordPut, "collection">[]
  ): ReturnType<MillContext["committer"]["write"]> {
    return await this.#mill.committer.write({
      kind: "put-records",
      puts: puts.map((put) => ({ collection: "replies", ...put })),
      events: [],
    });
  }
}

/** What a record says. */
interface KnownReply {
  readonly fingerprint: string;
  readonly runId: string;
  readonly heldUntilMs: number;
  readonly reply: KeptReply | undefined;
}

/** Undefined: it is too old, or says nothing that can be read. */
function parseKnown({ value, dueAtMs }: StoreRecord, nowMs: number): KnownReply | undefined {
  if ((dueAtMs ?? 0) <= nowMs || !isRecord(value)) return undefined;
  const { fingerprint, run, heldUntilMs } = value;
  if (typeof fingerprint !== "string" || typeof run !== "string") return undefined;
  return {
    fingerprint,
    runId: run,
    heldUntilMs: typeof heldUntilMs === "number" ? heldUntilMs : 0,
    reply: parseReply(value["reply"]),
  };
}

/** Undefined: the key may be held. */
function judge(known: KnownReply, fingerprint: string, nowMs: number): ReplyClaim | undefined {
  const { reply, heldUntilMs } = known;
  const isHeld = heldUntilMs > nowMs;
  if (reply === undefined && !isHeld) return undefined;
  if (known.fingerprint !== fingerprint) return { kind: "mismatch" };
  return reply === undefined
    ? { kind: "running", leftMs: heldUntilMs - nowMs }
    : { kind: "kept", reply };
}

function parseReply(value: unknown): KeptReply | undefined {
  if (!isRecord(value)) return undefined;
  const { status, headers, body } = value;
  if (typeof status !== "number" || typeof body !== "string" || !isRecord(headers)) {
    return undefined;
  }
  const texts = Object.entries(headers).flatMap(([name, text]) =>
    typeof text === "string" ? [[name, text] as const] : [],
  );
  return { status, headers: Object.fromEntries(texts), body };
}
