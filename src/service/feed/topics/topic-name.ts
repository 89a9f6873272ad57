// What a topic is called: a word, and for some what it is about: `run:7F3K`, `logs:7F3K`, `events:types=run.*`.

import { MillraceError } from "../../../model/errors.ts";
import { findNearest } from "../../../std/nearest.ts";

/** Topics of which each is one view of the whole. */
export const WHOLE_TOPICS = [
  "overview",
  "runs",
  "queue",
  "resources",
  "schedules",
  "failures",
  "workers",
] as const;

/** Every word a topic begins with. */
const TOPIC_WORDS: readonly string[] = [...WHOLE_TOPICS, "run", "logs", "events"];

/** A topic, read. */
export type TopicName =
  | { readonly kind: (typeof WHOLE_TOPICS)[number] }
  | { readonly kind: "run"; readonly run: string }
  | { readonly kind: "logs"; readonly run: string }
  | { readonly kind: "events"; readonly filter: TopicFilter };

/** Which events or lines. */
export interface TopicFilter {
  /** Any name of a run. */
  readonly run?: string;
  /** Types of events, `stage.*` for all of a noun. */
  readonly types?: readonly string[];
  /** Lines: of this stage. */
  readonly stage?: string;
  /** Lines: of the item with this key. */
  readonly item?: string;
  /** Lines: of these levels. */
  readonly levels?: readonly string[];
  /** Lines: with this text, literally. */
  readonly grep?: string;
  /** Events: every one, however many there are. Default false. */
  readonly complete?: boolean;
}

/** Reads it. OPTION_INVALID with the nearest that there is. */
export function parseTopic(text: string): TopicName {
  const cut = text.indexOf(":");
  const word = cut === -1 ? text : text.slice(0, cut);
  const about = cut === -1 ? "" : text.slice(cut + 1);
  const whole = WHOLE_TOPICS.find((known) => known === word);
  if (whole !== undefined && cut === -1) return { kind: whole };
  if ((word === "run" || word === "logs") && IS_RUN.test(about)) return { kind: word, run: about };
  if (word === "events") return { kind: "events", filter: parseFilter(text, about) };
  throw unknownTopic(text, word);
}

/** A short name, an id, or `last`. */
const IS_RUN = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

function parseFilter(topic: string, about: string): TopicFilter {
  if (about === "") return {};
  const filter: { run?: string; types?: readonly string[]; complete?: boolean } = {};
  for (const pair of about.split("&")) {
    const [name = "", value = ""] = pair.split("=", 2);
    if (name === "run" && IS_RUN.test(value)) filter.run = value;
    else if (name === "types" && value !== "") filter.types = value.split(",");
    else if (name === "complete" && value === "true") filter.complete = true;
    else throw unknownTopic(topic, "events");
  }
  return filter;
}

function unknownTopic(text: string, word: string): MillraceError {
  const near = findNearest(word, TOPIC_WORDS);
  const isForm = TOPIC_WORDS.some((known) => known === word);
  const hint = isForm
    ? "like runs, run:7F3K, logs:7F3K, events or events:run=7F3K&types=stage.*"
    : near === undefined
      ? `known: ${TOPIC_WORDS.join(", ")}`
      : `did you mean "${near}"?`;
  return new MillraceError("OPTION_INVALID", `There is no topic "${text.slice(0, 100)}".`, {
    hint,
    details: { given: text.slice(0, 100), known: [...TOPIC_WORDS] },
  });
}
