// What decodes pictures, for all runs in all processes of a store.
import { resource } from "millrace";

/**
 * Five pictures at once, however many runs there are. Three failures in a row close it for two seconds, then one try
 * finds out whether it works again; whoever comes meanwhile waits. A picture that is none is no failure of it.
 */
export const decoder = resource("decoder", {
  limit: 5,
  breaker: { threshold: 3, recovery: "2s", whenOpen: "wait" },
});
