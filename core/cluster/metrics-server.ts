/** A run's page for Prometheus and its health, over HTTP. Nothing can be changed by it. */
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { SquallError, shown } from '../errors.js';
import { type ComponentHistograms, metricsPage } from './metrics-page.js';
import type { RunSnapshot } from './run-types.js';

export interface MetricsSource {
  /** undefined: the run has not begun to begin */
  snapshot(): RunSnapshot | undefined;
  histograms(): readonly ComponentHistograms[];
}

export interface MetricsServer {
  /** `http://127.0.0.1:9464`; with the port that was given, where 0 was asked for */
  readonly url: string;
  close(): Promise<void>;
}

/** Only this machine, unless another address is asked for. */
const HOST = '127.0.0.1';

/** `9464`, `0.0.0.0:9464` or `[::1]:9464`. Throws ERR_SQUALL_USAGE. */
export function parseAddress(address: string | number): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:]+)):)?(\d{1,5})$/.exec(String(address)) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    throw new SquallError('ERR_SQUALL_USAGE', `metrics: expected PORT or HOST:PORT, found ${shown(address)}`, {
      facts: { address },
    });
  }
  return { host: bracketed ?? plain ?? HOST, port };
}

/** Rejects with ERR_SQUALL_METRICS_PORT where the address cannot be listened at. */
export function serveMetrics(address: string | number, source: MetricsSource, version: string): Promise<MetricsServer> {
  const { host, port } = parseAddress(address);
  const app = new Hono();
  app.get('/healthz', (context) => context.text('ok\n'));
  app.get('/ready', (context) => {
    const why = whyNotReady(source.snapshot());
    return why.length === 0 ? context.json({ ready: true }) : context.json({ ready: false, why }, 503);
  });
  app.get('/metrics', async (context) => {
    const snapshot = source.snapshot();
    if (snapshot === undefined) return context.text('the run is starting\n', 503);
    const { contentType, text } = await metricsPage(snapshot, source.histograms(), version);
    return context.body(text, 200, { 'Content-Type': contentType });
  });
  app.get('/', (context) => context.text('squall: /metrics, /healthz, /ready\n'));
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: host, port }, (info: AddressInfo) => {
      const name = info.family === 'IPv6' ? `[${info.address}]` : info.address;
      resolve({ url: `http://${name}:${info.port}`, close: () => closed(server) });
    });
    server.on('error', (cause: Error) =>
      reject(
        new SquallError(
          'ERR_SQUALL_METRICS_PORT',
          `metrics: nothing can listen at ${host}:${port} (${cause.message}); name another port, or 0 for any that is free`,
          { facts: { host, port }, cause },
        ),
      ),
    );
  });
}

function closed(server: ReturnType<typeof serve>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    // a scraper keeps its connection open
    if ('closeAllConnections' in server) server.closeAllConnections();
  });
}

/** Empty: every task is up and reaches NATS. */
export function whyNotReady(snapshot: RunSnapshot | undefined): string[] {
  if (snapshot === undefined || snapshot.phase === 'starting') return ['the run is starting'];
  const { phase, workers, linksDown = 0, tasks } = snapshot;
  if (phase === 'ended') return ['the run has ended'];
  const why: string[] = [];
  const gone = tasks.filter(({ state }) => state === 'gone' || state === 'starting').map(({ component }) => component);
  if (gone.length > 0) why.push(`${gone.join(', ')}: not up`);
  else if (workers.up < workers.all && tasks.some(({ state }) => state !== 'ended'))
    why.push(`${workers.all - workers.up} of ${workers.all} processes are not up`);
  if (linksDown > 0) why.push(`${linksDown} connections to NATS are down`);
  return why;
}
