// What is measured, as data: every gauge, counter and histogram of the service with its unit and its labels. The one
// table that code, page and tests share. Labels are names that people gave; never a key, an id or a message.

/** Every figure. Seconds and bytes, as Prometheus has them. */
export const FIGURES = [
  {
    name: "millrace_info",
    kind: "gauge",
    help: "Always 1; the running version.",
    labels: ["version"],
  },
  {
    name: "millrace_runs",
    kind: "gauge",
    help: "Runs that the store has, by state.",
    labels: ["pipeline", "state"],
  },
  {
    name: "millrace_queue_depth",
    kind: "gauge",
    help: "Runs that are queued, due or not.",
    labels: ["pipeline"],
  },
  {
    name: "millrace_queue_oldest_due_seconds",
    kind: "gauge",
    help: "How long the next run to be claimed has been due; 0: nothing is due.",
    labels: ["pipeline"],
  },
  {
    name: "millrace_runs_per_minute",
    kind: "gauge",
    help: "Runs that ended within the last minute, as told here.",
    labels: [],
  },
  {
    name: "millrace_workers",
    kind: "gauge",
    help: "Processes that work on the store.",
    labels: ["state"],
  },
  {
    name: "millrace_worker_slots",
    kind: "gauge",
    help: "Runs that live workers may work on at once.",
    labels: [],
  },
  {
    name: "millrace_worker_slots_used",
    kind: "gauge",
    help: "Runs that live workers work on.",
    labels: [],
  },
  {
    name: "millrace_resource_held",
    kind: "gauge",
    help: "Permits that are held, all keys together.",
    labels: ["resource"],
  },
  {
    name: "millrace_resource_waiting",
    kind: "gauge",
    help: "Who waits for a permit, all keys together.",
    labels: ["resource"],
  },
  {
    name: "millrace_resource_breakers",
    kind: "gauge",
    help: "Keys by how their breaker stands.",
    labels: ["resource", "state"],
  },
  {
    name: "millrace_store_log_bytes",
    kind: "gauge",
    help: "Size of the store's write-ahead log.",
    labels: [],
  },
  {
    name: "millrace_events_behind",
    kind: "gauge",
    help: "Stored events that were not told here yet.",
    labels: [],
  },
  {
    name: "millrace_event_subscribers",
    kind: "gauge",
    help: "Who reads events in this process.",
    labels: [],
  },
  {
    name: "millrace_scheduler_late_seconds",
    kind: "gauge",
    help: "How late the schedules of this process are.",
    labels: [],
  },
  {
    name: "millrace_watchdog_up",
    kind: "gauge",
    help: "1 while somebody watches, else 0.",
    labels: [],
  },
  {
    name: "millrace_watchdog_findings",
    kind: "gauge",
    help: "What the watchdog finds now.",
    labels: ["rule"],
  },
  {
    name: "millrace_runs_created_total",
    kind: "counter",
    help: "Runs that were made.",
    labels: ["pipeline"],
  },
  {
    name: "millrace_runs_ended_total",
    kind: "counter",
    help: "Runs that ended.",
    labels: ["pipeline", "state"],
  },
  {
    name: "millrace_stages_ended_total",
    kind: "counter",
    help: "Stages that ended.",
    labels: ["pipeline", "stage", "state"],
  },
  {
    name: "millrace_items_ended_total",
    kind: "counter",
    help: "Items that ended.",
    labels: ["pipeline", "stage", "state"],
  },
  {
    name: "millrace_attempts_total",
    kind: "counter",
    help: "Attempts of stages and items that ended.",
    labels: ["pipeline", "stage"],
  },
  {
    name: "millrace_retries_total",
    kind: "counter",
    help: "Waits for another attempt.",
    labels: ["pipeline", "stage", "class"],
  },
  {
    name: "millrace_waited_seconds_total",
    kind: "counter",
    help: "Time that stages waited, told when their run ends.",
    labels: ["cause", "resource"],
  },
  {
    name: "millrace_notices_failed_total",
    kind: "counter",
    help: "Notices that were given up.",
    labels: ["target"],
  },
  {
    name: "millrace_events_missed_total",
    kind: "counter",
    help: "Events that came too fast to be counted.",
    labels: [],
  },
  {
    name: "millrace_run_duration_seconds",
    kind: "histogram",
    help: "Active time of runs that ended.",
    labels: ["pipeline"],
  },
  {
    name: "millrace_stage_duration_seconds",
    kind: "histogram",
    help: "Time of stages that ended.",
    labels: ["pipeline", "stage"],
  },
] as const;

/** Name of a figure. */
export type FigureName = (typeof FIGURES)[number]["name"];

/** Labels with their values. */
export type FigureLabels = Readonly<Record<string, string>>;

/** One value of a gauge. */
export interface Reading {
  readonly name: FigureName;
  readonly labels: FigureLabels;
  readonly value: number;
}

/** Takes what is counted. */
export interface FigureSink {
  /** Adds to a counter. Default 1. */
  count(name: FigureName, labels: FigureLabels, by?: number): void;
  /** Adds an observation to a histogram, seconds. */
  observe(name: FigureName, labels: FigureLabels, seconds: number): void;
}
