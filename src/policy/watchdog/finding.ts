// What the watchdog may find, by rule, and how a sighting becomes a finding: seen for as long as its rule asks, told
// once, and gone by itself when it is seen no more.

/** Every rule. Never renamed: events and lists carry them. */
export const WATCH_RULES = [
  "lease-expired",
  "lease-missing",
  "no-checkpoint",
  "stranded",
  "wake-missing",
  "scheduler-late",
  "queue-old",
  "failures-growing",
  "breaker-open",
  "permit-old",
  "log-large",
  "disk-full",
  "memory-high",
  "loop-slow",
  "store-failing",
  "attempts-stuck",
  "settings-refused",
] as const;

/** Name of a rule. */
export type WatchRule = (typeof WATCH_RULES)[number];

/** What one look saw. */
export interface Sighting {
  readonly rule: WatchRule;
  /** What it is about: a run, a pipeline, a resource, a process. With the rule it names the finding. */
  readonly subject: string;
  /** A sentence for people, with the number and what was expected. */
  readonly message: string;
  /** A command that helps. Default: none. */
  readonly next?: string;
  /** `red`: something fails, or soon will. Default "warn". */
  readonly level?: FindingLevel;
  /** For how long it has to be seen before it counts, ms: the second sign. Default 0: at once. */
  readonly holdMs?: number;
  /** Id of the run it is about. Default: none. */
  readonly runId?: string;
  /** What stands in the way, in the words of `why`. Default: none. */
  readonly blockers?: readonly string[];
}

/** How bad it is. */
export type FindingLevel = "warn" | "red";

/** Something that the watchdog has found and that is still so. */
export interface Finding {
  readonly rule: WatchRule;
  readonly subject: string;
  readonly level: FindingLevel;
  /** UTC ms of the store. */
  readonly sinceMs: number;
  readonly message: string;
  /** A command that helps; null: none. */
  readonly next: string | null;
}

/** A sighting, and since when it is seen without a break. */
export interface Seen {
  readonly sighting: Sighting;
  readonly sinceMs: number;
  /** It was seen for long enough. */
  readonly isFinding: boolean;
}

/** What changed with a look. */
export interface SeenChange {
  readonly seen: readonly Seen[];
  /** Became findings with this look. */
  readonly opened: readonly Seen[];
  /** Were findings and are gone. */
  readonly closed: readonly Seen[];
}

/** Puts a look beside what was seen before. `nowMs`: of the store. At most `max` are kept, the first ones. */
export function compareSightings(
  before: readonly Seen[],
  sightings: readonly Sighting[],
  { nowMs, max }: { readonly nowMs: number; readonly max: number },
): SeenChange {
  const known = new Map(before.map((one) => [keyOf(one.sighting), one]));
  const seen = new Map<string, Seen>();
  const opened: Seen[] = [];
  for (const sighting of sightings) {
    const key = keyOf(sighting);
    if (seen.size >= max || seen.has(key)) continue;
    const sinceMs = known.get(key)?.sinceMs ?? nowMs;
    const wasFinding = known.get(key)?.isFinding === true;
    const isFinding = wasFinding || nowMs - sinceMs >= (sighting.holdMs ?? 0);
    const one: Seen = { sighting, sinceMs, isFinding };
    seen.set(key, one);
    if (isFinding && !wasFinding) opened.push(one);
  }
  const closed = before.filter((one) => one.isFinding && !seen.has(keyOf(one.sighting)));
  return { seen: [...seen.values()], opened, closed };
}

/** As it is shown. */
export function toFinding({ sighting, sinceMs }: Seen): Finding {
  const { rule, subject, message } = sighting;
  return {
    rule,
    subject,
    level: sighting.level ?? "warn",
    sinceMs,
    message,
    next: sighting.next ?? null,
  };
}

function keyOf({ rule, subject }: Sighting): string {
  return `${rule} ${subject}`;
}
