// The end of what follows the events of a process.

import type { MillContext } from "../mill-context.ts";

/** The last of what is stored reaches files and readers; then nobody follows any more. Before the store closes. */
export async function closeEvents(mill: MillContext): Promise<void> {
  const { events } = mill;
  if (events.settings.archive !== null) {
    const { openArchive } = await import("../events/open-archive.ts");
    const archive = await openArchive(mill);
    await archive.close();
  }
  await events.bus?.close();
}
