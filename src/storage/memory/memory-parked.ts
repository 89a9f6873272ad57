// Runs of the memory store that are parked until there is room in a key of a resource.

import { countWakes, type RoomCause } from "../permits/parked-runs.ts";
import type { KeyEntry, PermitBook } from "../permits/permit-book.ts";
import type { ResourceAddress } from "../permits/permit-write.ts";
import { TimeHeap } from "./time-heap.ts";

/** Who is parked, and where it stands in the order of claims. */
export interface NewParked {
  readonly run: number;
  readonly epoch: number;
  readonly place: number;
}

/** Sends a parked run back to its queue; false: it waits no more, or has been at work since. */
type Wake = (parked: NewParked) => boolean;

/** Parked runs by key, and the keys that the transaction has to look at. */
export class MemoryParked {
  readonly #lines: Map<string, TimeHeap<NewParked>> = new Map();
  readonly #roomy: Map<string, { readonly address: ResourceAddress; cause: RoomCause }> = new Map();

  /** Resources of which every key is looked at. */
  readonly #wide: Set<string> = new Set();

  /** True: a transaction has keys to look at. */
  get isNoted(): boolean {
    return this.#roomy.size > 0 || this.#wide.size > 0;
  }

  park(address: ResourceAddress, parked: NewParked): void {
    const name = nameOf(address);
    let line = this.#lines.get(name);
    if (line === undefined) this.#lines.set(name, (line = new TimeHeap()));
    line.push({ at: parked.place, number: parked.run, value: parked });
  }

  /** There may be room in a key: it is looked at when the transaction ends. */
  note({ resource, key }: ResourceAddress, cause: RoomCause): void {
    const name = nameOf({ resource, key });
    const known = this.#roomy.get(name);
    if (known === undefined) this.#roomy.set(name, { address: { resource, key }, cause });
    else if (cause === "freed") known.cause = cause;
  }

  /** The same for every key of a resource, also those for which somebody is parked later in the transaction. */
  noteAll(resource: string): void {
    this.#wide.add(resource);
  }

  /** The end of a transaction: as many go back to their queues as there is room for. */
  wake(book: PermitBook, wake: Wake): void {
    for (const resource of this.#wide) this.#noteKeys(resource);
    this.#wide.clear();
    const roomy = [...this.#roomy.values()];
    this.#roomy.clear();
    for (const { address, cause } of roomy) {
      const line = this.#lines.get(nameOf(address));
      if (line !== undefined) this.#serve(line, countWakes(book, book.find(address), cause), wake);
      if (line?.peek() === undefined) this.#lines.delete(nameOf(address));
    }
  }

  #noteKeys(resource: string): void {
    const prefix = `${resource}/`;
    for (const name of this.#lines.keys())
      if (name.startsWith(prefix)) this.note({ resource, key: name.slice(prefix.length) }, "freed");
  }

  #serve(line: TimeHeap<NewParked>, count: number, wake: Wake): void {
    let left = count;
    while (left > 0) {
      const next = line.pop();
      if (next === undefined) return;
      if (wake(next.value)) left -= 1;
    }
  }
}

function nameOf({ resource, key }: Pick<KeyEntry, "resource" | "key">): string {
  return `${resource}/${key}`;
}
