// How long waits are. The times are those of the real world; the bundled list is done 200 times as fast, because
// nothing but the machine itself is asked.
import process from "node:process";
import { readPace } from "./settings.ts";

const pace = readPace(process.env);

/** A wait of the real world in ms, as long as it is here. */
export function toPace(seconds: number): number {
  return Math.round(seconds * 1_000 * pace);
}
