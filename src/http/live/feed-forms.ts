// The forms in which the feed leaves the house besides plain JSON: events in the words of an older system, and text
// streams, where each event is a message with its number, so that a client that comes back says where it was.

import { toCompatibleEvent } from "../../service/events/compatible-event.ts";
import {
  toPlainMessage,
  type FeedForm,
  type FeedMessage,
} from "../../service/feed/topics/feed-message.ts";

/** JSON, with events as an older system says them. */
export const COMPATIBLE_FORM: FeedForm = {
  name: "compatible",
  encode: (message) =>
    Buffer.from(
      JSON.stringify(
        message.type === "events"
          ? { ...message, events: message.events.map(({ event }) => toCompatibleEvent(event)) }
          : message,
      ),
    ),
};

/** Server-sent events: one message per event; anything else under its own name. */
export const STREAM_FORM: FeedForm = {
  name: "stream",
  encode: (message) => Buffer.from(toStreamText(message, ({ view }) => view)),
};

/** The same, with events as an older system says them. */
export const COMPATIBLE_STREAM_FORM: FeedForm = {
  name: "compatible-stream",
  encode: (message) => Buffer.from(toStreamText(message, ({ event }) => toCompatibleEvent(event))),
};

type EventOf = Extract<FeedMessage, { readonly type: "events" }>["events"][number];

function toStreamText(message: FeedMessage, show: (event: EventOf) => unknown): string {
  // A comment keeps the line open and is nobody's message.
  if (message.type === "beat") return `: beat ${message.seq}\n\n`;
  if (message.type === "subscribed") return ": subscribed\n\n";
  if (message.type !== "events") {
    const id = message.type === "gap" ? `id: ${message.to}\n` : idOf(message);
    return `${id}event: ${message.type}\ndata: ${JSON.stringify(toPlainMessage(message))}\n\n`;
  }
  const lines = message.events.map((each) => {
    const { seq } = each.event;
    // What is never stored has no number; the one before stays the client's place.
    const id = seq === 0 ? "" : `id: ${seq}\n`;
    return `${id}data: ${JSON.stringify(show(each))}\n\n`;
  });
  return lines.join("");
}

function idOf(message: FeedMessage): string {
  return message.type === "done" ? `id: ${message.seq}\n` : "";
}
