// SQLite's write-ahead log is shared memory: on a filesystem that several machines mount, two of them would
// write past each other and damage the store. Linux tells the kind of a filesystem by a number.

import { statfsSync } from "node:fs";
import { MillraceError } from "../../model/errors.ts";

/** Numbers of `statfs(2)` and names of filesystems that are served over a network. */
const NETWORK_FILESYSTEMS: ReadonlyMap<number, string> = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xfe534d42, "SMB2"],
  [0xff534d42, "CIFS"],
  [0x01021997, "9P"],
  [0x5346414f, "AFS"],
  [0x6b414653, "AFS"],
  [0x73757245, "Coda"],
  [0x00c36400, "Ceph"],
  [0x0bd00bd0, "Lustre"],
  [0x47504653, "GPFS"],
  [0x19830326, "BeeGFS"],
  [0x01161970, "GFS2"],
  [0x7461636f, "OCFS2"],
  [0x564c, "NCP"],
]);

/** The kind of the filesystem that holds a folder, as `statfs` numbers it; 0 where that means nothing. */
export type ReadFilesystemType = (folder: string) => number;

/** Asks the system. Numbers differ on other platforms than Linux, and are not looked at there. */
const readFilesystemType: ReadFilesystemType = (folder) =>
  process.platform === "linux" ? statfsSync(folder).type : 0;

/** Throws STORE_ON_NETWORK if the folder of a store is on a network filesystem. */
export function refuseNetworkFilesystem(
  url: string,
  folder: string,
  readType: ReadFilesystemType = readFilesystemType,
): void {
  const name = NETWORK_FILESYSTEMS.get(readType(folder) >>> 0);
  if (name === undefined) return;
  throw new MillraceError(
    "STORE_ON_NETWORK",
    `The folder "${folder}" of the store "${url}" is on a network filesystem (${name}), which damages SQLite files.`,
    { hint: "Put the store on a local disk: --store sqlite:/var/lib/millrace/store.db" },
  );
}
