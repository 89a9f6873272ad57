// Mutes a kind of failure, with who and why, until it comes of another definition or somebody unmutes it. It is listed
// all the same: only its status says that it calls for nobody.

import { MillraceError } from "../../model/errors.ts";
import { HEALTH_REASON_CHARS_MAX } from "../../model/limits.ts";
import type { MillContext } from "../mill-context.ts";
import { listMutes, muteKey, MUTES_MAX } from "./failure-mute.ts";
import type { FailureGroupView } from "./group-failed.ts";
import { readFailureKind, unknownFailure } from "./read-failures.ts";

/** Who mutes, and why. */
export interface MuteOptions {
  /** 1 to 500 characters, kept and shown. */
  readonly reason: string;
  /** Who, for people. */
  readonly actor: string;
}

/** What became of it. */
export interface MuteOutcome {
  /** False: it was so already, and nothing was recorded. */
  readonly changed: boolean;
  /** As it is now. Absent: its failures are too long ago to be looked at. */
  readonly group?: FailureGroupView;
}

type Mill = Pick<MillContext, "store" | "committer">;

/** Times that others may have changed the same meanwhile. */
const TRIES_MAX = 5;

/** Mutes. May be repeated. RUN_NOT_FOUND if nothing failed so, OPTION_INVALID, RUN_STATE_CONFLICT. */
export async function muteFailure(
  mill: Mill,
  fingerprint: string,
  { reason, actor }: MuteOptions,
): Promise<MuteOutcome> {
  checkReason(reason);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const record = await mill.store.findRecord("failures", muteKey(fingerprint));
    const { told, reach, group } = await readFailureKind(mill.store, fingerprint);
    if (group === undefined) throw unknownFailure(fingerprint, reach);
    if (group.status === "muted") return { changed: false, group };
    const mutes = await listMutes(mill.store);
    if (record === undefined && mutes.size >= MUTES_MAX) throw tooMany();
    const definitions = [...new Set(told.map(({ run }) => run.definitionHash))];
    const value = { actor, reason, definitions };
    const { pipeline, stage } = group;
    const at = { pipeline, ...(stage === undefined ? {} : { stage }) };
    const result = await mill.committer.write({
      kind: "put-records",
      puts: [
        {
          collection: "failures",
          key: muteKey(fingerprint),
          expected: record?.revision ?? 0,
          value,
        },
      ],
      events: [{ type: "failure.muted", data: { fingerprint, ...at, actor, reason } }],
    });
    if (result.kind === "recorded") return await answer(mill, fingerprint, true);
  }
  throw conflict(fingerprint);
}

/** Takes a mute back. May be repeated. OPTION_INVALID, RUN_STATE_CONFLICT. */
export async function unmuteFailure(
  mill: Mill,
  fingerprint: string,
  { reason, actor }: { readonly reason?: string; readonly actor: string },
): Promise<MuteOutcome> {
  if (reason !== undefined) checkReason(reason);
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const record = await mill.store.findRecord("failures", muteKey(fingerprint));
    if (record === undefined) return await answer(mill, fingerprint, false);
    const why = reason === undefined ? {} : { reason };
    const result = await mill.committer.write({
      kind: "put-records",
      puts: [
        {
          collection: "failures",
          key: record.key,
          expected: record.revision,
          value: undefined,
        },
      ],
      events: [{ type: "failure.unmuted", data: { fingerprint, actor, ...why } }],
    });
    if (result.kind === "recorded") return await answer(mill, fingerprint, true);
  }
  throw conflict(fingerprint);
}

async function answer(mill: Mill, fingerprint: string, changed: boolean): Promise<MuteOutcome> {
  const { group } = await readFailureKind(mill.store, fingerprint);
  return { changed, ...(group === undefined ? {} : { group }) };
}

function checkReason(reason: string): void {
  if (reason.trim() !== "" && reason.length <= HEALTH_REASON_CHARS_MAX) return;
  throw new MillraceError(
    "OPTION_INVALID",
    `reason: expected 1 to ${HEALTH_REASON_CHARS_MAX} characters; got ${reason.length}.`,
    { hint: "say why; nothing was changed" },
  );
}

function tooMany(): MillraceError {
  return new MillraceError("OPTION_INVALID", `${MUTES_MAX} kinds of failures are muted already.`, {
    hint: "unmute what has not failed for long, or mend what fails",
  });
}

function conflict(fingerprint: string): MillraceError {
  return new MillraceError(
    "RUN_STATE_CONFLICT",
    `Others kept muting or unmuting the failure "${fingerprint}" at the same time.`,
    { hint: "look at it again", retryable: true },
  );
}
