// Traces with OpenTelemetry: enqueue -> run -> stage -> item -> attempt. The code of an attempt is called within its
// span, so that spans of its own lie under it. Ends and failures are taken from the events of the run: by class and
// fingerprint, with a message that is cut. The one file that knows the API; the SDK is the user's.

import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
  type Tracer,
} from "@opentelemetry/api";
import type { Attempt } from "../../engine/attempt/attempt.ts";
import type { MillraceEvent } from "../../model/event.ts";
import { ERROR_HISTORY_CHARS_MAX } from "../../model/limits.ts";
import { boundedText } from "../../std/json.ts";
import { readVersion } from "../../std/version.ts";
import type { TracedEnqueue, TracedRun, Tracing } from "./trace-port.ts";

/** Characters of an attribute's value, such as the key of an item. */
const ATTRIBUTE_CHARS_MAX = 256;

const RUN_ENDS: ReadonlySet<string> = new Set([
  "run.succeeded",
  "run.failed",
  "run.skipped",
  "run.cancelled",
  "run.parked",
  "run.returned",
  "run.interrupted",
]);
const PART_ENDS: ReadonlySet<string> = new Set([
  "succeeded",
  "failed",
  "skipped",
  "cancelled",
  "upstream_failed",
]);

/** Follows runs with the tracer that the program has set up. */
export function makeTracing(): Tracing {
  const version = readVersion();
  // Asked anew each time: a program may set up another one.
  const tracerOf = (): Tracer => trace.getTracer("millrace", version);
  return {
    follow: (run) => {
      const followed = new RunTrace(tracerOf(), run);
      return () => followed.close();
    },
    beginEnqueue: (pipeline, runs) => beginEnqueue(tracerOf(), pipeline, runs),
    current: () => toSettings(trace.getSpanContext(context.active())),
  };
}

function beginEnqueue(tracer: Tracer, pipeline: string, runs: number): TracedEnqueue {
  const span = tracer.startSpan(`enqueue ${pipeline}`, {
    kind: SpanKind.PRODUCER,
    attributes: { "millrace.pipeline": pipeline, "millrace.runs": runs },
  });
  return {
    settings: toSettings(span.spanContext()),
    end: (error) => {
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** As the W3C writes it; nothing where there is none. */
function toSettings(found: SpanContext | undefined): { readonly traceparent?: string } {
  if (found === undefined || !trace.isSpanContextValid(found)) return {};
  const { traceId, spanId, traceFlags } = found;
  return { traceparent: `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, "0")}` };
}

function parseParent(text: string | undefined): SpanContext | undefined {
  const parts = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text ?? "");
  const [, traceId, spanId, flags] = parts ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return undefined;
  const traceFlags = Number.parseInt(flags, 16) & TraceFlags.SAMPLED;
  const found = { traceId, spanId, traceFlags, isRemote: true };
  return trace.isSpanContextValid(found) ? found : undefined;
}

/** A span that lasts, and the context that what lies under it is made in. */
interface Open {
  readonly span: Span;
  readonly inside: Context;
  /** UTC ms when its code had ended; undefined: it has not, or has none. */
  endedAtMs?: number;
}

/** One run in this process, from its claim to its end, its parking or its loss. */
class RunTrace {
  readonly #tracer: Tracer;
  readonly #run: Open;
  readonly #core: TracedRun["core"];
  readonly #leave: () => void;
  readonly #stages: Map<string, Open> = new Map();
  readonly #items: Map<string, Open> = new Map();
  /** By stage or item: its attempts never overlap. */
  readonly #attempts: Map<string, Open> = new Map();
  #isOver: boolean = false;

  constructor(tracer: Tracer, run: TracedRun) {
    this.#tracer = tracer;
    this.#core = run.core;
    this.#run = this.#begin(run);
    run.core.around = (attempt, work) => this.#call(attempt, work);
    this.#leave = run.onEvent((event) => this.#hear(event));
  }

  /** A run of the foreground lies under who started it; one of a queue points to who enqueued it. */
  #begin({ record, name, workerName }: TracedRun): Open {
    const origin = parseParent(record.settings.traceparent);
    const isUnder = origin !== undefined && record.foreground && record.epoch === 1;
    const root = context.active();
    const parent = isUnder ? trace.setSpanContext(root, origin) : trace.deleteSpan(root);
    const options = {
      kind: record.foreground ? SpanKind.INTERNAL : SpanKind.CONSUMER,
      attributes: {
        "millrace.pipeline": record.pipeline,
        "millrace.run.id": record.id,
        "millrace.run.name": name,
        "millrace.run.epoch": record.epoch,
        "millrace.worker": cut(workerName),
      },
      ...(origin === undefined || isUnder ? {} : { links: [{ context: origin }] }),
    };
    return open(this.#tracer.startSpan(`run ${record.pipeline}`, options, parent), parent);
  }

  /** The code of an attempt, within its span. What it gives goes through untouched. */
  #call(attempt: Attempt, work: () => unknown): unknown {
    const { item, stage } = attempt;
    const key = item?.key;
    const address = addressOf(stage, key);
    this.#close(this.#attempts, address);
    const parent =
      key === undefined ? this.#openStage(stage) : this.#openItem(stage, key, attempt.index);
    const opened = this.#start(parent, `attempt ${stage}`, {
      "millrace.stage": stage,
      "millrace.attempt": attempt.attempt,
      ...(key === undefined ? {} : { "millrace.item": cut(key) }),
      ...(attempt.purpose === "run" ? {} : { "millrace.purpose": attempt.purpose }),
    });
    this.#attempts.set(address, opened);
    const note = (): void => {
      opened.endedAtMs = this.#core.world.clock.wallMs();
    };
    const result = context.with(opened.inside, work);
    if (result instanceof Promise) result.then(note, note);
    else note();
    return result;
  }

  #openStage(stage: string): Open {
    const known = this.#stages.get(stage);
    if (known !== undefined) return known;
    const opened = this.#start(this.#run, `stage ${stage}`, { "millrace.stage": stage });
    this.#stages.set(stage, opened);
    return opened;
  }

  #openItem(stage: string, key: string, index: number): Open {
    const address = addressOf(stage, key);
    const known = this.#items.get(address);
    if (known !== undefined) return known;
    const opened = this.#start(this.#openStage(stage), `item ${stage}`, {
      "millrace.stage": stage,
      "millrace.item": cut(key),
      "millrace.item.index": index,
    });
    this.#items.set(address, opened);
    return opened;
  }

  #start(parent: Open, name: string, attributes: Attributes): Open {
    return open(this.#tracer.startSpan(name, { attributes }, parent.inside), parent.inside);
  }

  #hear(event: MillraceEvent): void {
    const [noun = "", word = ""] = event.type.split(".");
    if (RUN_ENDS.has(event.type)) this.#end(event);
    else if (noun !== "stage" && noun !== "item") return;
    else if (word === "waiting" && event.data?.["blocker"] === "retry") this.#endAttempt(event);
    else if (PART_ENDS.has(word)) this.#endPart(event, noun);
  }

  #endPart(event: MillraceEvent, noun: string): void {
    const { stage = "", item } = event;
    this.#endAttempt(event);
    const parts = noun === "stage" ? this.#stages : this.#items;
    const address = noun === "stage" ? stage : addressOf(stage, item);
    const part = parts.get(address);
    if (part === undefined) return;
    describe(part.span, event);
    this.#close(parts, address, event.atMs);
  }

  #endAttempt(event: MillraceEvent): void {
    const address = addressOf(event.stage ?? "", event.item);
    const attempt = this.#attempts.get(address);
    if (attempt === undefined) return;
    describe(attempt.span, event);
    this.#close(this.#attempts, address, event.atMs);
  }

  /** It was lost: whoever has it now tells of it. Nothing where it has ended. */
  close(): void {
    if (!this.#isOver) this.#finish(undefined);
  }

  #end(event: MillraceEvent): void {
    describe(this.#run.span, event);
    this.#finish(event.atMs);
  }

  #finish(atMs: number | undefined): void {
    this.#isOver = true;
    for (const parts of [this.#attempts, this.#items, this.#stages])
      for (const address of parts.keys()) this.#close(parts, address, atMs);
    this.#run.span.end(atMs);
    this.#core.around = null;
    this.#leave();
  }

  #close(parts: Map<string, Open>, address: string, atMs?: number): void {
    const part = parts.get(address);
    if (part === undefined) return;
    parts.delete(address);
    part.span.end(part.endedAtMs ?? atMs);
  }
}

function open(span: Span, around: Context): Open {
  return { span, inside: trace.setSpan(around, span) };
}

/** How it ended; a failure with its class, which says what kind it is, and its fingerprint, by which equal ones meet. */
function describe(span: Span, { type, data }: MillraceEvent): void {
  const { class: kind, fingerprint, message, via } = data ?? {};
  const [, word = ""] = type.split(".");
  span.setAttribute("millrace.outcome", word);
  if (typeof via === "string") span.setAttribute("millrace.via", via);
  if (typeof kind !== "string") return;
  span.setAttribute("error.type", kind);
  if (typeof fingerprint === "string") span.setAttribute("millrace.fingerprint", fingerprint);
  const text = typeof message === "string" ? message : kind;
  span.setStatus({
    code: SpanStatusCode.ERROR,
    message: boundedText(text, ERROR_HISTORY_CHARS_MAX),
  });
}

function addressOf(stage: string, item: string | undefined): string {
  return item === undefined ? stage : `${stage}\u0000${item}`;
}

function cut(text: string): string {
  return boundedText(text, ATTRIBUTE_CHARS_MAX);
}
