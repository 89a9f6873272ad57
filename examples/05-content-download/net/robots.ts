// What hosts allow, asked once an hour and host, and once for all who wait for it. A host without robots.txt allows
// everything; one whose robots.txt cannot be read just now is an error, which the asker sees.
import robotsParser from "robots-parser";

const FRESH_MS = 3_600_000;
const HOSTS_MAX = 10_000;

type Rules = (url: string) => boolean;

/** The part of the parser's answer that is used. */
interface Robots {
  isAllowed(url: string, agentName: string): boolean | undefined;
}

/** The package exports a function, and its types say a module with one: called past them. */
function parseRobots(robotsUrl: string, text: string): Robots {
  const parse: unknown = robotsParser;
  if (typeof parse !== "function") throw new Error("robots-parser exports no function");
  const robots: Robots = Reflect.apply(parse, undefined, [robotsUrl, text]);
  return robots;
}

/** Reads a robots.txt; undefined: there is none. */
export type ReadRobots = (robotsUrl: string) => Promise<string | undefined>;

/** The answers of one process. */
export class RobotsCache {
  readonly #agentName: string;
  readonly #entries: Map<string, { readonly untilMs: number; readonly rules: Promise<Rules> }> =
    new Map();

  /** `agentName` is the name that robots.txt calls us by. */
  constructor(agentName: string) {
    this.#agentName = agentName;
  }

  /** Whether the address may be asked. Rejects as `read` does; a rejection is not kept. */
  async isAllowed(url: URL, nowMs: number, read: ReadRobots): Promise<boolean> {
    for (;;) {
      const known = this.#entries.get(url.origin);
      if (known === undefined || nowMs >= known.untilMs) break;
      // Where another asker failed (it may have been cancelled) the next one in line asks for itself.
      const rules = await known.rules.catch(() => undefined);
      if (rules !== undefined) return rules(url.href);
      this.#forget(url.origin, known.rules);
    }
    const rules = this.#readRules(`${url.origin}/robots.txt`, read);
    this.#entries.set(url.origin, { untilMs: nowMs + FRESH_MS, rules });
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > HOSTS_MAX && oldest !== undefined) this.#entries.delete(oldest);
    try {
      return (await rules)(url.href);
    } catch (error) {
      this.#forget(url.origin, rules);
      throw error;
    }
  }

  #forget(origin: string, rules: Promise<Rules>): void {
    if (this.#entries.get(origin)?.rules === rules) this.#entries.delete(origin);
  }

  async #readRules(robotsUrl: string, read: ReadRobots): Promise<Rules> {
    const text = await read(robotsUrl);
    if (text === undefined) return () => true;
    const robots = parseRobots(robotsUrl, text);
    return (url) => robots.isAllowed(url, this.#agentName) ?? true;
  }
}
