// `RUN[/STAGE[/KEY]]`: the key is everything after the second slash, slashes included.

import { MillraceError } from "../../model/errors.ts";

/** What a person points at. */
export interface Address {
  /** As written: short name, id or `last`. */
  readonly run: string;
  readonly stage?: string;
  readonly key?: string;
}

/** Reads an address. USAGE_INVALID for an empty part. */
export function parseAddress(text: string): Address {
  const [run = "", stage, ...rest] = text.split("/");
  const key = rest.length === 0 ? undefined : rest.join("/");
  if (run === "" || stage === "" || key === "") {
    throw new MillraceError("USAGE_INVALID", `"${text}" is no address: a part of it is empty.`, {
      hint: "an address is RUN, RUN/STAGE or RUN/STAGE/KEY, as in last/score/row-7",
      details: { given: text },
    });
  }
  return {
    run,
    ...(stage === undefined ? {} : { stage }),
    ...(key === undefined ? {} : { key }),
  };
}
