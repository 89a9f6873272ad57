// The body of a request: its type is the route's, its length is bounded while it arrives, and so is the time it takes.
// A route that reads a stream gets one that ends at the same bounds. Nothing is unpacked.

import { MillraceError } from "../../model/errors.ts";
import { HTTP_BODY_BYTES_MAX } from "../../model/limits.ts";
import { HTTP_BODY_MS_DEFAULT } from "../../model/defaults.ts";
import type { Clock } from "../../std/clock.ts";
import type { Json } from "../../std/json.ts";
import type { Route } from "../route.ts";
import { parseRequestJson } from "./request-json.ts";

/** How a body is taken. */
export interface BodyTerms {
  readonly clock: Clock;
  /** Time for the whole body, or between two pieces of a stream. Default HTTP_BODY_MS_DEFAULT. */
  readonly bodyMs?: number;
  /** Told why a stream ended early: what reads it says so in words of its own. */
  readonly onStreamFault?: (fault: MillraceError) => void;
}

/** The body as its route takes it: parsed JSON, a stream, or undefined where the route takes none. REQUEST_INVALID,
 *  BODY_TOO_LARGE. */
export async function readBody(
  request: Request,
  route: Route,
  terms: BodyTerms,
): Promise<Json | ReadableStream<Uint8Array> | undefined> {
  refusePacked(request.headers);
  const isStream = route.bodyType !== undefined && route.bodyType !== "application/json";
  if (route.body === undefined && !isStream) return refuseBody(request, terms);
  checkType(request, route);
  const bytesMax = route.bodyBytesMax ?? HTTP_BODY_BYTES_MAX;
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw tooLarge(bytesMax);
  if (isStream) return boundedStream(request, bytesMax, terms);
  return parseRequestJson(await readText(request, bytesMax, terms));
}

/** Whether the route reads its body itself, as a stream. */
export function takesStream(route: Route): boolean {
  return route.bodyType !== undefined && route.bodyType !== "application/json";
}

/** Nothing here unpacks: what is packed is refused before a byte of it is read, however it says so. */
function refusePacked(headers: Headers): void {
  const coding = headers.get("content-encoding");
  const transfer = headers.get("transfer-encoding");
  const packed = coding ?? (transfer?.trim().toLowerCase() === "chunked" ? null : transfer);
  if (packed === null) return;
  throw new MillraceError(
    "REQUEST_INVALID",
    `The body is packed as "${packed.slice(0, 100)}"; expected it as it is.`,
    { hint: "send it without Content-Encoding, and with no Transfer-Encoding but chunked" },
  );
}

function checkType(request: Request, route: Route): void {
  const wanted = route.bodyType ?? "application/json";
  const given = request.headers.get("content-type") ?? "";
  const [type = "", ...parameters] = given.toLowerCase().split(";");
  const isPlain = parameters.every((each) => /^\s*charset="?utf-8"?\s*$/.test(each));
  if (type.trim() === wanted && isPlain) return;
  const empty = wanted === "application/json" ? ", and {} where there is nothing to say" : "";
  throw new MillraceError("REQUEST_INVALID", `The body must be "${wanted}".`, {
    hint: `send the header content-type: ${wanted}${empty}`,
  });
}

/** A body that nobody asked for is a mistake of the caller, or a form that pretends. */
async function refuseBody(request: Request, terms: BodyTerms): Promise<undefined> {
  // These have none, and to look for it would make a whole Request.
  if (request.method === "GET" || request.method === "HEAD") return undefined;
  if (request.body === null) return undefined;
  if (request.headers.get("content-length") === "0") return undefined;
  const text = await readText(request, HTTP_BODY_BYTES_MAX, terms);
  if (text === "") return undefined;
  throw new MillraceError("REQUEST_INVALID", "This route takes no body.");
}

async function readText(request: Request, bytesMax: number, terms: BodyTerms): Promise<string> {
  if (request.body === null) return "";
  const timeUp = Promise.withResolvers<never>();
  const timer = terms.clock.setTimer(bodyMsOf(terms), () => timeUp.reject(tooSlow()), {
    unref: true,
  });
  const reader = request.body.getReader();
  try {
    return await Promise.race([readAll(reader, bytesMax), timeUp.promise]);
  } catch (error) {
    void reader.cancel().catch(() => undefined);
    throw error;
  } finally {
    timer.cancel();
  }
}

async function readAll(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  bytesMax: number,
): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decode(() => decoder.decode());
    bytes += value.byteLength;
    if (bytes > bytesMax) throw tooLarge(bytesMax);
    text += decode(() => decoder.decode(value, { stream: true }));
  }
}

function decode(work: () => string): string {
  try {
    return work();
  } catch (cause) {
    throw new MillraceError("REQUEST_INVALID", "The body is not UTF-8.", { cause });
  }
}

function boundedStream(
  request: Request,
  bytesMax: number,
  terms: BodyTerms,
): ReadableStream<Uint8Array> {
  const source = request.body?.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = await readPiece(source, terms);
      if (piece === undefined) return controller.close();
      bytes += piece.byteLength;
      if (bytes > bytesMax) throw told(tooLarge(bytesMax), terms);
      controller.enqueue(piece);
    },
    async cancel(reason) {
      await source?.cancel(reason);
    },
  });
}

async function readPiece(
  source: ReadableStreamDefaultReader<Uint8Array> | undefined,
  terms: BodyTerms,
): Promise<Uint8Array | undefined> {
  if (source === undefined) return undefined;
  const timeUp = Promise.withResolvers<never>();
  const giveUp = (): void => timeUp.reject(told(tooSlow(), terms));
  const timer = terms.clock.setTimer(bodyMsOf(terms), giveUp, { unref: true });
  try {
    return (await Promise.race([source.read(), timeUp.promise])).value;
  } finally {
    timer.cancel();
  }
}

function told(fault: MillraceError, { onStreamFault }: BodyTerms): MillraceError {
  onStreamFault?.(fault);
  return fault;
}

function bodyMsOf({ bodyMs }: BodyTerms): number {
  return bodyMs ?? HTTP_BODY_MS_DEFAULT;
}

function tooLarge(bytesMax: number): MillraceError {
  return new MillraceError("BODY_TOO_LARGE", `The body has more than ${bytesMax} bytes.`, {
    details: { bytesMax },
  });
}

function tooSlow(): MillraceError {
  return new MillraceError("REQUEST_INVALID", "The body did not arrive in time.");
}
