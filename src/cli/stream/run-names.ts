// Short names of runs by id, looked up once each.

import { runName } from "../../service/queries/find-run.ts";
import type { StoreReader } from "../../service/queries/open-reader.ts";

/** Names that are remembered; then all are looked up anew. */
const NAMES_MAX = 10_000;

/** Gives names. */
export class RunNames {
  readonly #store: Pick<StoreReader, "findRun">;
  readonly #names = new Map<string, string>();

  constructor(store: Pick<StoreReader, "findRun">) {
    this.#store = store;
  }

  /** The short name of a run; its id where it is gone, and undefined for an empty id. */
  async find(id: string): Promise<string | undefined> {
    if (id === "") return undefined;
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const run = await this.#store.findRun(id);
    if (this.#names.size >= NAMES_MAX) this.#names.clear();
    const name = run === undefined ? id : runName(run);
    this.#names.set(id, name);
    return name;
  }
}
