// What stays open asks again whether its login is still good: every minute, and at once when any token is revoked.

import { SOCKET_LOGIN_MS_DEFAULT } from "../../model/defaults.ts";
import type { LiveFeed } from "../../service/feed/topics/live-feed.ts";
import type { Clock, Timer } from "../../std/clock.ts";

/** What is watched. */
export interface LoginWatchParts {
  readonly clock: Pick<Clock, "setTimer">;
  readonly feed: Pick<LiveFeed, "onEvent">;
  /** May reject: then it counts as good. */
  readonly isStillGood: () => Promise<boolean>;
  /** Told, once at least, that it has ended. */
  readonly ended: () => void;
}

/** Watches a login. Answers how to stop. */
export function watchLogin({ clock, feed, isStillGood, ended }: LoginWatchParts): () => void {
  let timer: Timer | null = null;
  const ask = async (): Promise<void> => {
    // Where that cannot be looked up the feed is away as well, and says so itself.
    if (!(await isStillGood().catch(() => true))) ended();
  };
  const book = (): void => {
    timer = clock.setTimer(SOCKET_LOGIN_MS_DEFAULT, () => {
      void ask();
      book();
    });
  };
  const deaf = feed.onEvent(({ type }) => {
    if (type === "token.revoked") void ask();
  });
  book();
  return () => {
    timer?.cancel();
    deaf();
  };
}
