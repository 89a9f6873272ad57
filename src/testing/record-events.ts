// Records events for tests, and waits for one without sleeping.

import type { EventType, MillraceEvent } from "../model/event.ts";

/** Recorded events. */
export interface EventRecorder {
  /** Pass it as `onEvent`. */
  readonly onEvent: (event: MillraceEvent) => void;
  readonly events: readonly MillraceEvent[];
  /** Types in the order they came, those of one stage if asked. */
  types(stage?: string): readonly EventType[];
  /** The first event that matches, now or later. */
  next(matches: (event: MillraceEvent) => boolean): Promise<MillraceEvent>;
}

/** Makes a recorder. */
export function recordEvents(): EventRecorder {
  const events: MillraceEvent[] = [];
  const waiting = new Set<{
    readonly matches: (event: MillraceEvent) => boolean;
    readonly found: (event: MillraceEvent) => void;
  }>();
  return {
    events,
    onEvent: (event) => {
      events.push(event);
      for (const one of waiting) {
        if (!one.matches(event)) continue;
        waiting.delete(one);
        one.found(event);
      }
    },
    types: (stage) =>
      events
        .filter((event) => stage === undefined || event.stage === stage)
        .map(({ type }) => type),
    next: (matches) => {
      const seen = events.find(matches);
      if (seen !== undefined) return Promise.resolve(seen);
      return new Promise((found) => waiting.add({ matches, found }));
    },
  };
}
