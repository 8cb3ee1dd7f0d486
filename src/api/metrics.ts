import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What Prometheus reads. Labels are names of routes, never paths: those hold ids and links. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #refused: Counter<'code'>;

  constructor(counts: { readonly streams: () => number; readonly connections: () => { total: number; waiting: number } }) {
    const registers = [this.#registry];
    collectDefaultMetrics({ register: this.#registry });
    this.#requests = new Histogram({
      name: 'holdfast_http_request_seconds', help: 'Time until the answer was ready', labelNames: ['method', 'route', 'status'], registers,
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    });
    this.#refused = new Counter({ name: 'holdfast_http_refusals_total', help: 'Requests that were refused, by code', labelNames: ['code'], registers });
    gauge('holdfast_event_streams', 'Open streams of events', counts.streams, registers);
    gauge('holdfast_database_connections', 'Open connections to the database', () => counts.connections().total, registers);
    gauge('holdfast_database_waiting', 'Questions that wait for a connection', () => counts.connections().waiting, registers);
  }

  get type(): string { return this.#registry.contentType; }

  text(): Promise<string> { return this.#registry.metrics(); }

  answered(method: string, route: string, status: number, seconds: number): void {
    this.#requests.observe({ method, route, status: String(status) }, seconds);
  }

  refused(code: string): void {
    this.#refused.inc({ code });
  }
}

function gauge(name: string, help: string, read: () => number, registers: Registry[]): void {
  void new Gauge({ name, help, registers, collect() { this.set(read()); } });
}
