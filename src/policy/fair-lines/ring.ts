// A ring of members that carry their own links: whoever is at hand is put in and taken out in O(1), however
// many others there are. What the order means, turns or age, is left to the users.

/** The links of a member. Only the ring writes them; a member is in one ring at most. */
export interface RingLinks<M> {
  /** Null while it is in no ring. */
  before: M | null;
  /** Null while it is in no ring. */
  after: M | null;
}

/** Members in an order that goes round. */
export class Ring<M extends RingLinks<M>> {
  #first: M | null = null;
  #size: number = 0;

  get size(): number {
    return this.#size;
  }

  /** Whose turn it is; null: nobody is there. */
  get first(): M | null {
    return this.#first;
  }

  /** Puts a member last: whoever is there already comes before it. It must be in no ring. */
  push(member: M): void {
    const first = this.#first ?? member;
    const last = first.before ?? member;
    member.before = last;
    member.after = first;
    last.after = member;
    first.before = member;
    this.#first = first;
    this.#size += 1;
  }

  /** Takes a member out; nothing happens if it is in no ring. */
  drop(member: M): void {
    const { before, after } = member;
    if (before === null || after === null) return;
    before.after = after;
    after.before = before;
    if (this.#first === member) this.#first = after === member ? null : after;
    member.before = null;
    member.after = null;
    this.#size -= 1;
  }

  /** The first becomes the last. */
  turn(): void {
    this.#first = this.#first?.after ?? null;
  }

  /** All members, the first first. The ring must not change meanwhile. */
  *[Symbol.iterator](): Generator<M> {
    let member = this.#first;
    for (let left = this.#size; left > 0 && member !== null; left -= 1) {
      yield member;
      member = member.after;
    }
  }
}
