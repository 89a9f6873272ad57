// What a review shares with every other one, in all processes of a store: the judges, of whom only so much may be asked,
// and the desk, which closes for a while when nothing works any more.
import { resource } from "millrace";
import * as z from "zod";

/** Asked once per paper, just before it is judged. How often is said in `quotas.json`. */
export const judges = resource("judges", { quota: { rate: 60, per: "1m" } });

/**
 * Every stage needs it. Three failures in a row, of whichever stages, close it; then one try finds out whether things
 * work again. A paper that is none is no failure of ours, and does not count.
 */
export const desk = resource("desk", { breaker: { threshold: 3, recovery: "10s" } });

/** As the older configuration wrote them: by name, `rate` units in `per_seconds`. */
const QUOTAS = z.record(
  z.string(),
  z.strictObject({ rate: z.number().positive(), per_seconds: z.number().positive() }),
);

/** Quotas of the older form, as settings of resources. Throws when the text holds none. */
export function toResourceSettings(
  text: string,
): Readonly<Record<string, { readonly quota: { readonly rate: number; readonly per: number } }>> {
  const quotas = Object.entries(QUOTAS.parse(JSON.parse(text)));
  return Object.fromEntries(
    quotas.map(([name, { rate, per_seconds: seconds }]) => {
      // A full bucket of `rate` to begin with, in both forms.
      return [name, { quota: { rate, per: seconds * 1_000 } }];
    }),
  );
}
