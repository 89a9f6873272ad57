// The listing of resources: a line for each key, then what was set by hand, what pauses, and who has what.

import { formatDuration } from "../../std/duration.ts";
import type {
  BreakerView,
  HolderView,
  QuotaView,
  ResourceView,
} from "../../service/views/resource-view.ts";
import { showCount, showRemaining } from "../../std/shown/figures.ts";
import type { Look } from "../render/look.ts";
import { oneLine } from "../../std/text.ts";
import { renderTable } from "../render/table.ts";

/** What is told besides the table. */
export interface ResourceScene {
  readonly look: Look;
  readonly nowMs: number;
  /** Who has a permit, by name. Default false. */
  readonly withHolders?: boolean;
}

/** Lines without a line feed behind the last. */
export function renderResourceTable(
  resources: readonly ResourceView[],
  scene: ResourceScene,
): string {
  const { none } = scene.look.alphabet;
  const table = renderTable(
    {
      columns: [
        { head: "NAME", flexible: true },
        { head: "KEY", flexible: true },
        { head: "HELD" },
        { head: "WAITING" },
        { head: "QUOTA" },
        { head: "BREAKER" },
      ],
      rows: resources.map((resource) => [
        oneLine(resource.name),
        resource.key === undefined ? none : oneLine(resource.key),
        `${showCount(resource.held)}/${resource.limit === undefined ? none : showCount(resource.limit)}`,
        showCount(resource.waiting),
        resource.quotas.length === 0 ? none : resource.quotas.map(sayQuota).join("; "),
        resource.breaker === undefined ? none : sayBreaker(resource.breaker, scene.nowMs),
      ]),
    },
    scene.look,
  );
  return [table, ...resources.flatMap((resource) => sayMore(resource, scene))].join("\n");
}

/** A resource as people name it. */
export function nameOf({ name, key }: Pick<ResourceView, "name" | "key">): string {
  return oneLine(key === undefined ? name : `${name}/${key}`);
}

function sayQuota({ available, burst, ...quota }: QuotaView): string {
  return `${showCount(available)} of ${showCount(burst)}, ${sayRate(quota)}`;
}

function sayRate({ rate, perMs }: Pick<QuotaView, "rate" | "perMs">): string {
  return `${rate} per ${formatDuration(perMs)}`;
}

function sayBreaker({ state, openUntil, openings, forced }: BreakerView, nowMs: number): string {
  const leftMs = openUntil === undefined ? 0 : Date.parse(openUntil) - nowMs;
  return [
    forced === undefined ? state : `${state} by ${oneLine(forced.actor)}`,
    ...(openUntil === undefined ? [] : [`probe in ${showRemaining(Math.max(0, leftMs))}`]),
    ...(openings < 2 || state === "closed" ? [] : [`${ordinal(openings)} opening`]),
  ].join(", ");
}

function ordinal(count: number): string {
  const isTeen = count % 100 >= 11 && count % 100 <= 13;
  const suffix = isTeen ? "th" : (["th", "st", "nd", "rd"][count % 10] ?? "th");
  return `${count}${suffix}`;
}

function sayMore(resource: ResourceView, scene: ResourceScene): readonly string[] {
  const { override, pausedUntil, breaker, holders } = resource;
  const name = nameOf(resource);
  const more: string[] = [];
  if (override !== undefined) more.push(`${name}: ${sayOverride(resource)}`);
  if (breaker?.forced !== undefined)
    more.push(`${name}: breaker ${breaker.state} by ${sayWho(breaker.forced)}`);
  if (pausedUntil !== undefined)
    more.push(`${name}: paused until ${pausedUntil}: the other side asked for it`);
  if (scene.withHolders === true)
    more.push(...holders.map((holder) => `${name}: ${sayHolder(holder, scene.nowMs)}`));
  return more;
}

/** What holds instead of what was declared: `limit 3 instead of 8, by ana until ...: reason`. */
export function sayOverride({ override, declaredLimit }: ResourceView): string {
  if (override === undefined) return "as declared";
  const { limit, quotas, until } = override;
  const was = declaredLimit === undefined ? "" : ` instead of ${showCount(declaredLimit)}`;
  return [
    ...(limit === undefined ? [] : [`limit ${showCount(limit)}${was}`]),
    ...(quotas === undefined ? [] : [`quota ${quotas.map(sayRate).join(" and ")}`]),
    `by ${sayWho({ ...override, until: until ?? "it is reset" })}`,
  ].join(", ");
}

function sayWho(who: {
  readonly actor: string;
  readonly until: string;
  readonly reason: string;
}): string {
  return `${oneLine(who.actor)} until ${who.until}: ${oneLine(who.reason)}`;
}

function sayHolder({ name, stage, item, since, probe }: HolderView, nowMs: number): string {
  const place = [name, stage, ...(item === undefined ? [] : [item])].join("/");
  const forMs = Math.max(0, nowMs - Date.parse(since));
  return `${oneLine(place)} for ${formatDuration(forMs)}${probe ? ", the probe" : ""}`;
}
