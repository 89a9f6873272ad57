// Opens an address in the browser of whoever sits before this machine.

import { spawn } from "node:child_process";
import type { CliContext } from "../cli-context.ts";
import { printRemark } from "../print.ts";

const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ["open"],
  linux: ["xdg-open"],
};

/** Opens it. Without a browser there is still the line to click. */
export function openBrowser(context: CliContext, url: string): void {
  const opener = OPENERS[process.platform];
  if (opener === undefined) {
    printRemark(context, "no browser is known here: open the address by hand");
    return;
  }
  const [command, ...args] = opener;
  const child = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  child.on("error", () => printRemark(context, "no browser could be opened: open it by hand"));
  child.unref();
}
