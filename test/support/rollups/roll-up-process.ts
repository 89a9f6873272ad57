// A process that rolls up a store until it is killed: `roll-up-process.ts STORE`. Its duty lasts 150 ms, so that whoever
// comes after it need not wait long.

import { openMillrace } from "../../../src/service/millrace.ts";
import { startRollUps } from "../../../src/service/rollups/start-roll-ups.ts";

const [, , store = ""] = process.argv;
const mill = await openMillrace({ store });
startRollUps(mill, { everyMs: 50 });
