// The folders of runs that are gone: removed after their rows, by the ids that the store had. One that another store of
// the same folder still knows stays, and so does whatever else lies there, whoever put it. A process that is killed
// between the two leaves folders behind, which harm nobody.

import type { LocalFiles } from "../../storage/local-files.ts";
import { isMemoryUrl } from "../../storage/open-store.ts";
import { openUpkeep } from "../../storage/open-upkeep.ts";
import type { StoreUpkeep } from "../../storage/upkeep.ts";
import { makeFiles } from "../world.ts";

/** How much went, or would go. */
export interface FolderCount {
  folders: number;
  bytes: number;
}

/** The folders of one store's runs, as they were when this was made. */
export class RunFolders {
  readonly count: FolderCount = { folders: 0, bytes: 0 };
  readonly #url: string;
  readonly #files: LocalFiles;
  readonly #present: ReadonlySet<string>;
  #upkeep: StoreUpkeep | undefined;

  private constructor(url: string, files: LocalFiles, present: ReadonlySet<string>) {
    this.#url = url;
    this.#files = files;
    this.#present = present;
  }

  /** Looks which there are. */
  static async list(url: string): Promise<RunFolders> {
    const files = makeFiles(url);
    return new RunFolders(url, files, await files.listRunFolders());
  }

  /** True: there is none. */
  get isEmpty(): boolean {
    return this.#present.size === 0;
  }

  /** Removes the folders of these runs, which the store has no more. */
  async remove(runIds: readonly string[]): Promise<void> {
    await this.#measure(runIds, { remove: true });
  }

  /** Counts what `remove` would. */
  async foresee(runIds: readonly string[]): Promise<void> {
    await this.#measure(runIds, { remove: false });
  }

  async #measure(runIds: readonly string[], how: { readonly remove: boolean }): Promise<void> {
    const ids = runIds.filter((id) => this.#present.has(id));
    if (ids.length === 0) return;
    const elsewhere = await this.#findElsewhere(ids);
    for (const id of ids) {
      const bytes = elsewhere.has(id) ? undefined : await this.#files.measureRunFolder(id, how);
      if (bytes === undefined) continue;
      this.count.folders += 1;
      this.count.bytes += bytes;
    }
  }

  async #findElsewhere(ids: readonly string[]): Promise<ReadonlySet<string>> {
    if (isMemoryUrl(this.#url)) return new Set();
    this.#upkeep ??= await openUpkeep(this.#url, { purpose: "collect" });
    return this.#upkeep.listRunsElsewhere(ids);
  }

  [Symbol.dispose](): void {
    this.#upkeep?.close();
  }
}
