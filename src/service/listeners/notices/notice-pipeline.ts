// The pipeline that delivers notices: one run each, so that a notice outlives crashes, is repeated with growing waits,
// and stays to be seen and retried where it was given up. What its runs hold names the target; the address and the
// secret stay in the settings of whoever works.

import type { ParsedNotify, ParsedTarget } from "../../../model/compile/notify-settings.ts";
import { NOTICE_PIPELINE } from "../../pipelines/built-in.ts";
import type { Context } from "../../../model/context.ts";
import { PermanentError } from "../../../model/errors.ts";
import { ERROR_LIST_CHARS_MAX } from "../../../model/limits.ts";
import { isRecord } from "../../../std/record.ts";
import { definePipeline, type Pipeline } from "../../pipeline.ts";
import { toChatBody } from "./notice.ts";
import { postNotice } from "./post-notice.ts";
import { toSignedHeaders } from "./sign-notice.ts";

/** The input of a run. */
export interface NoticeInput {
  readonly target: string;
  /** Of the notice at this target, in every try. */
  readonly id: string;
  /** Notices before this one that were left out. */
  readonly leftOut: number;
  /** As it is sent. */
  readonly notice: Readonly<Record<string, unknown>> & { readonly text: string };
}

/** Makes it for these targets. */
export function makeNoticePipeline({ targets, retry, timeoutMs }: ParsedNotify): Pipeline {
  return definePipeline({
    name: NOTICE_PIPELINE,
    description: "Delivers notices to their targets.",
    stages: [
      {
        id: "deliver",
        retry,
        timeout: timeoutMs,
        run: (input: unknown, ctx: Context) => deliver(targets, input, ctx),
      },
    ],
  });
}

async function deliver(
  targets: ParsedNotify["targets"],
  given: unknown,
  ctx: Context,
): Promise<{ readonly status: number }> {
  const input = parseInput(given);
  const target = targets.get(input.target);
  if (target === undefined)
    throw new PermanentError(`There is no target "${input.target}" in the settings any more.`);
  const { status, retryAfter } = await post(input, target, ctx);
  if (status >= 200 && status < 300) return { status };
  throw refused(target, status, retryAfter);
}

async function post(
  { id, leftOut, notice }: NoticeInput,
  target: ParsedTarget,
  ctx: Context,
): ReturnType<typeof postNotice> {
  const body =
    target.form === "slack"
      ? toChatBody(notice, leftOut)
      : JSON.stringify({ id, ...notice, leftOut });
  const headers = {
    "content-type": "application/json",
    "user-agent": "millrace",
    ...toSignedHeaders({ id, atMs: ctx.now(), body }, target.key),
  };
  const { name, url, allowsPrivate } = target;
  const { signal } = ctx;
  try {
    return await postNotice({ target: name, url, headers, body, allowsPrivate, signal });
  } catch (error) {
    throw withoutAddress(error, target);
  }
}

/** What the network says may repeat the address, which may be a secret; its code says as much. */
function withoutAddress(error: unknown, { name }: ParsedTarget): unknown {
  if (error instanceof PermanentError || !isRecord(error)) return error;
  const { code, syscall } = error;
  if (typeof code !== "string") return new Error(`Target "${name}" could not be reached.`);
  return Object.assign(new Error(`Target "${name}" could not be reached: ${code}.`), {
    code,
    ...(typeof syscall === "string" ? { syscall } : {}),
  });
}

/** The status says whether it is worth another try, and the header when. */
function refused(target: ParsedTarget, status: number, retryAfter: string | undefined): Error {
  const { name } = target;
  if (status >= 300 && status < 400)
    return new PermanentError(`Target "${name}" answered ${status}; redirects are not followed.`);
  const headers = retryAfter === undefined ? {} : { "retry-after": retryAfter };
  return Object.assign(new Error(`Target "${name}" answered ${status}.`), { status, headers });
}

function parseInput(given: unknown): NoticeInput {
  const { target, id, leftOut, notice } = isRecord(given) ? given : {};
  if (typeof target !== "string" || typeof id !== "string" || !isRecord(notice)) throw damaged();
  const { text } = notice;
  if (typeof text !== "string") throw damaged();
  return {
    target,
    id,
    leftOut: typeof leftOut === "number" ? leftOut : 0,
    notice: { ...notice, text: text.slice(0, 2 * ERROR_LIST_CHARS_MAX) },
  };
}

function damaged(): PermanentError {
  return new PermanentError("The input of this run is no notice.");
}
