// Looks at resources: breakers that do not close, permits that are held for longer than their attempts may last. Goes
// through all keys, a bounded number of pages at a time; an open breaker is looked at every time.

import type { Survey } from "../../engine/upkeep/watchdog.ts";
import {
  FINDINGS_MAX,
  PAGE_ROWS_MAX,
  PERMIT_LATE_MS_MAX,
  WATCH_PAGES_MAX,
} from "../../model/limits.ts";
import type { Sighting } from "../../policy/watchdog/finding.ts";
import { judgeBreaker, judgePermit } from "../../policy/watchdog/judge-resource.ts";
import type {
  PermitRecord,
  ResourceAddress,
  ResourceRecord,
} from "../../storage/permits/permit-write.ts";
import type { Store } from "../../storage/store.ts";
import { runName } from "../queries/find-run.ts";
import { readStoredDefinition } from "../queries/stored-definition.ts";

/** Looks at the resources of a store. */
export class ResourceSurvey implements Survey {
  readonly name: string = "resources";
  readonly isShared: boolean = true;
  readonly #store: Store;
  /** Keys that were not at rest, by name. */
  readonly #suspects: Map<string, ResourceAddress> = new Map();
  #after: ResourceAddress | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  async look(): Promise<readonly Sighting[]> {
    const found = new Map<string, ResourceRecord>();
    const note = (record: ResourceRecord | undefined): void => {
      if (record === undefined || found.size >= FINDINGS_MAX || isAtRest(record)) return;
      found.set(JSON.stringify([record.resource, record.key]), record);
    };
    for (const address of this.#suspects.values()) note(await this.#store.findResource(address));
    for (let pages = 0; pages < WATCH_PAGES_MAX; pages += 1) {
      const page = await this.#readPage();
      page.forEach(note);
      const last = page.length < PAGE_ROWS_MAX ? undefined : page.at(-1);
      this.#after = last === undefined ? undefined : { resource: last.resource, key: last.key };
      if (this.#after === undefined) break;
    }
    this.#suspects.clear();
    const sightings: Sighting[] = [];
    for (const [name, record] of found) {
      this.#suspects.set(name, { resource: record.resource, key: record.key });
      sightings.push(...(await this.#judge(record)));
    }
    return sightings;
  }

  async #readPage(): Promise<readonly ResourceRecord[]> {
    return await this.#store.listResources({
      limit: PAGE_ROWS_MAX,
      ...(this.#after === undefined ? {} : { after: this.#after }),
    });
  }

  async #judge(record: ResourceRecord): Promise<readonly Sighting[]> {
    const sightings: Sighting[] = isOpen(record) ? [judgeBreaker(record)] : [];
    if (record.held === 0) return sightings;
    const nowMs = this.#store.nowMs();
    for (const permit of await this.#store.listHolders(record, FINDINGS_MAX)) {
      // The longest held come first.
      if (nowMs - permit.takenAtMs <= PERMIT_LATE_MS_MAX) break;
      const sighting = await this.#judgePermit(permit, nowMs);
      if (sighting !== undefined) sightings.push(sighting);
    }
    return sightings;
  }

  async #judgePermit(permit: PermitRecord, nowMs: number): Promise<Sighting | undefined> {
    const run = await this.#store.findRun(permit.runId);
    if (run === undefined) return undefined;
    const definition = await readStoredDefinition(this.#store, run.definitionHash);
    const stage = definition?.stages.find(({ name }) => name === permit.stage);
    const timeoutMs = stage?.timeoutMs ?? null;
    return judgePermit({ ...permit, run: runName(run), timeoutMs }, nowMs);
  }
}

function isOpen({ state }: ResourceRecord): boolean {
  return state.breaker !== null && state.breaker.state !== "closed";
}

function isAtRest(record: ResourceRecord): boolean {
  return record.held === 0 && !isOpen(record);
}
