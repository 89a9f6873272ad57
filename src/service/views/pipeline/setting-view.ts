// A setting in force as documents show it.

import type { Json } from "../../../std/json.ts";

/** A setting in force. */
export interface ShownSetting {
  readonly value: Json;
  /** `stage`, `pipeline`, `default`; of the process also the flag, variable or file. */
  readonly origin: string;
}
