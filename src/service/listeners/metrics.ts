// Metrics in the format of Prometheus: gauges that are read when somebody asks, and counts of the events since the first
// who asked. Nothing is counted, and no event followed, before that. The one file that knows prom-client.

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { EventBus } from "../feed/event-bus.ts";
import { contextOf, type MillContext } from "../mill-context.ts";
import { EventCounts } from "./event-counts.ts";
import { FIGURES, type FigureLabels, type FigureName, type FigureSink } from "./figure.ts";
import { readStoreFigures } from "./store-figures.ts";

/** A scrape. */
export interface MetricsText {
  readonly text: string;
  /** With its version and encoding. */
  readonly contentType: string;
}

/** Upper bounds of durations, s: from what computes to what waits for others for an hour. */
const DURATION_BUCKETS_S = [0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600];

/** What is counted, besides what is read. */
const COUNTED_TYPES = [
  "run.created",
  "run.succeeded",
  "run.failed",
  "run.skipped",
  "run.cancelled",
  "stage.*",
  "item.*",
  "notice.failed",
];

/** Metrics of one mill. */
export class Metrics implements FigureSink {
  readonly #facade: object;
  readonly #mill: MillContext;
  readonly #bus: EventBus;
  readonly #registry: Registry = new Registry();
  readonly #gauges: Map<string, Gauge> = new Map();
  readonly #counters: Map<string, Counter> = new Map();
  readonly #histograms: Map<string, Histogram> = new Map();
  readonly #counts: EventCounts;
  #scrape: Promise<MetricsText> | null = null;

  /**
   * Begins to count. SUBSCRIBERS_FULL where as many read events as may.
   * @param facade What `openMillrace` gave.
   */
  constructor(facade: object, bus: EventBus) {
    this.#facade = facade;
    this.#mill = contextOf(facade);
    this.#bus = bus;
    this.#register();
    const { store, world } = this.#mill;
    this.#counts = new EventCounts({ store, clock: world.clock, sink: this });
    // Ends when the mill closes.
    const events = bus.subscribe({ types: COUNTED_TYPES, storedOnly: true });
    void this.#counts.listen(events);
  }

  count(name: FigureName, labels: FigureLabels, by: number = 1): void {
    this.#counters.get(name)?.inc(labels, by);
  }

  observe(name: FigureName, labels: FigureLabels, seconds: number): void {
    this.#histograms.get(name)?.observe(labels, seconds);
  }

  /** Everything as of now. Who asks meanwhile gets the same. */
  async read(): Promise<MetricsText> {
    this.#scrape ??= this.#read().finally(() => {
      this.#scrape = null;
    });
    return await this.#scrape;
  }

  async #read(): Promise<MetricsText> {
    const { pipelines, resources } = this.#counts;
    const readings = await readStoreFigures({
      facade: this.#facade,
      mill: this.#mill,
      bus: this.#bus,
      pipelines,
      resources,
    });
    // What is no more, such as a finding, has no value either.
    for (const gauge of this.#gauges.values()) gauge.reset();
    for (const { name, labels, value } of readings) this.#gauges.get(name)?.set(labels, value);
    this.#gauges.get("millrace_info")?.set({ version: this.#mill.self.version }, 1);
    this.#gauges.get("millrace_runs_per_minute")?.set(this.#counts.perMinute);
    return { text: await this.#registry.metrics(), contentType: this.#registry.contentType };
  }

  #register(): void {
    for (const { name, kind, help, labels } of FIGURES) {
      const options = { name, help, labelNames: [...labels], registers: [this.#registry] };
      if (kind === "gauge") this.#gauges.set(name, new Gauge(options));
      else if (kind === "counter") this.#counters.set(name, new Counter(options));
      else {
        const histogram = new Histogram({ ...options, buckets: DURATION_BUCKETS_S });
        this.#histograms.set(name, histogram);
      }
    }
  }
}
