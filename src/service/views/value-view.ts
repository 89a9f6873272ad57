// Stored values as documents and people see them: the JSON they are kept as, or its beginning. What JSON
// cannot hold is tagged (`{"$:date":…}`), as the store keeps it; `undefined` is left out.

import { boundedText, type Json } from "../../std/json.ts";
import { UNDEFINED_TEXT } from "../../std/value/tag.ts";
import type { StoredValue } from "../../model/outcome.ts";
import type { Store } from "../../storage/store.ts";

/** Characters of a value that a preview shows. */
const PREVIEW_CHARS_MAX = 400;

/** Bytes of a value that are read to be shown; a larger one is only named. */
const SHOWN_BYTES_MAX: number = 4 * 1024 * 1024;

/** A value as a document carries it. Absent `value`: undefined, or too large, which `bytes` then tells. */
export interface ValueView {
  readonly value?: Json;
  /** Of a value that is too large to be shown. */
  readonly bytes?: number;
}

/** The text a value is stored as; undefined: too large to be shown, or gone. */
async function readStoredText(
  store: Pick<Store, "blobs">,
  stored: StoredValue,
): Promise<string | undefined> {
  if (stored.kind === "inline") return stored.text;
  if (stored.bytes > SHOWN_BYTES_MAX) return undefined;
  const bytes = await store.blobs.get(stored.blob);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString("utf8");
}

/** A stored value as a document carries it; null: there is none. */
export async function readValueView(
  store: Pick<Store, "blobs">,
  stored: StoredValue | null,
): Promise<ValueView> {
  if (stored === null) return {};
  const text = await readStoredText(store, stored);
  if (text === undefined) return stored.kind === "blob" ? { bytes: stored.bytes } : {};
  return toValueView(text);
}

/** Stored text as a document carries it. */
export function toValueView(text: string): ValueView {
  if (text === UNDEFINED_TEXT) return {};
  const value: Json = JSON.parse(text);
  return { value };
}

/** The beginning of a value, on one line, for people. */
export function previewValue(view: ValueView, charsMax: number = PREVIEW_CHARS_MAX): string {
  if (view.bytes !== undefined) return `(${view.bytes} bytes)`;
  return view.value === undefined ? "(nothing)" : boundedText(JSON.stringify(view.value), charsMax);
}
