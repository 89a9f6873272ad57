// What Linux says of a process in /proc/<pid>/stat: fields of one line, the second of them the name of the program in
// brackets, which may hold spaces and brackets itself.

/** Ticks from the boot to the start of the process; undefined where there is no such line, or it has ended. */
export function findStartTicks(stat: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  const [threads, ticks] = [fields[17], fields[19]];
  // Z and X: it has ended, and only its parent has not looked yet; unless threads of it are still about to end, and with
  // them its connections and files.
  const hasEnded = (state === "Z" || state === "X") && Number(threads) <= 1;
  return hasEnded ? undefined : ticks;
}
