// `NAME[/KEY]`: the key is everything after the first slash, slashes included.

import { MillraceError } from "../../model/errors.ts";

/** The resource or the key that a person points at. */
export interface NamedResource {
  readonly name: string;
  readonly key?: string;
}

/** Reads a resource. USAGE_INVALID for an empty part. */
export function parseResourceAddress(text: string): NamedResource {
  const cut = text.indexOf("/");
  const name = cut < 0 ? text : text.slice(0, cut);
  const key = cut < 0 ? undefined : text.slice(cut + 1);
  if (name !== "" && key !== "") return { name, ...(key === undefined ? {} : { key }) };
  throw new MillraceError("USAGE_INVALID", `"${text}" names no resource: a part of it is empty.`, {
    hint: "a resource is NAME, one key of it NAME/KEY, as in host/api.example",
    next: "npx millrace resources list",
    details: { given: text },
  });
}
