// Listeners of callers, who must not harm what they listen to: neither by what they throw, nor by a promise of theirs
// that rejects with nobody there to catch it, which would end the process.

/** Calls a listener, if there is one; nothing of it comes back. */
export function tell<Event>(listener: ((event: Event) => unknown) | undefined, event: Event): void {
  if (listener === undefined) return;
  try {
    const answer = listener(event);
    if (answer instanceof Promise) answer.catch(ignore);
  } catch {
    // Nobody is left to tell.
  }
}

function ignore(): void {
  // The event stands whatever became of its listener.
}
