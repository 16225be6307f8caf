/**
 * Follows a log, counts its errors by kind and minute, and tells when there are suddenly many of one, or one that was
 * never there before:
 *
 *     squall run topologies/log-watch.ts --set input=/var/log/app.log --set subject=alerts.app
 *
 * A kind of error is its line without what differs from one to the next: times, numbers, ids. The counts go to a file,
 * the alerts to a NATS subject, as JSON.
 */
import { type BoltComponent, defineBolt, type SpoutComponent, t, topology } from 'squall';
import { linesSink, natsSink } from 'squall/bolts';
import { fileSpout } from 'squall/spouts';

const IS_ERROR = /\b(?:error|fatal|panic|critical|emerg|exception)\b/i;
/** A kind is for people to read: what is behind it seldom tells kinds apart. */
const LONGEST_SIGNATURE = 200;
/** A log whose lines cannot be told into kinds must not fill the memory; the oldest are forgotten. */
const MOST_SIGNATURES = 10_000;
/** Alerts that may have to be sent again. */
const MOST_ALERTS = 1000;

/** What stays the same when an error comes again. */
export function signatureOf(line: string): string {
  return line
    .slice(0, 4 * LONGEST_SIGNATURE)
    .replaceAll(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?/g, '<time>')
    .replaceAll(/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, '<id>')
    .replaceAll(/\b0x[0-9a-f]+\b/gi, '<hex>')
    .replaceAll(/\b(?=[a-z]*\d)[0-9a-f]{8,}\b/gi, '<hex>')
    .replaceAll(/\d+(?:[.:]\d+)*/g, '<n>')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST_SIGNATURE);
}

const errors = defineBolt({
  input: { line: t.string },
  output: { signature: t.string, line: t.string },
  execute({ values: { line } }, out) {
    if (IS_ERROR.test(line)) out.emit({ signature: signatureOf(line), line: line.slice(0, 1000) });
  },
});

interface Rules {
  readonly minuteMs: number;
  /** minutes before this one that are compared with it */
  readonly minutes: number;
  /** an alert: more than so many times their mean … */
  readonly factor: number;
  /** … and at least so many; of a kind that none of them had, so many are enough */
  readonly least: number;
}

type Alert = {
  readonly at: Date;
  readonly kind: string;
  readonly signature: string;
  readonly count: number;
  readonly mean: number;
  readonly line: string;
};

type Minute = {
  readonly at: Date;
  readonly signature: string;
  readonly count: number;
};

function forgetOldest(map: Map<string, unknown>): void {
  const [oldest] = map.keys();
  map.delete(oldest);
}

/**
 * Minutes go by the clock of the run. An alert is sent once a minute and kind, when its count passes the limit; it hangs
 * on the line that did it, and so is sent again until it has arrived.
 */
const watch = ({ minuteMs, minutes, factor, least }: Rules) =>
  defineBolt({
    input: { signature: t.string, line: t.string },
    output: { at: t.date, kind: t.string, signature: t.string, count: t.number, mean: t.number, line: t.string },
    streams: { minutes: { at: t.date, signature: t.string, count: t.number } },
    tickEveryMs: minuteMs,
    prepare({ now }) {
      const kinds = new Map<string, { count: number; told: boolean; before: number[] }>();
      /** by the tuple that they hang on */
      const sent = new Map<string, Alert>();
      /** minutes that are over, at most those that are compared */
      let past = 0;
      return {
        execute({ id, values: { signature, line } }, out) {
          const again = sent.get(id);
          if (again !== undefined) return out.emit(again);
          const kind = kinds.get(signature) ?? { count: 0, told: false, before: [] };
          kind.count += 1;
          // the one that was there last is the last to be forgotten
          kinds.delete(signature);
          kinds.set(signature, kind);
          if (kinds.size > MOST_SIGNATURES) forgetOldest(kinds);
          if (kind.told || kind.count < least) return;
          const mean = past === 0 ? 0 : kind.before.reduce((sum, count) => sum + count, 0) / past;
          if (mean > 0 && kind.count <= factor * mean) return;
          kind.told = true;
          const { count } = kind;
          const alert: Alert = {
            at: new Date(now()),
            kind: mean === 0 ? 'new' : 'burst',
            signature,
            count,
            mean,
            line,
          };
          sent.set(id, alert);
          if (sent.size > MOST_ALERTS) forgetOldest(sent);
          out.emit(alert);
        },
        tick(out) {
          const at = new Date(now());
          past = Math.min(minutes, past + 1);
          for (const [signature, kind] of kinds) {
            if (kind.count > 0) out.emit({ at, signature, count: kind.count }, { stream: 'minutes' });
            kind.before = [kind.count, ...kind.before].slice(0, minutes);
            kind.count = 0;
            kind.told = false;
            if (kind.before.every((count) => count === 0)) kinds.delete(signature);
          }
        },
      };
    },
  });

/** With any source of lines, and any sinks. */
export const watched = (
  lines: SpoutComponent<{ readonly default: { line: string } }>,
  rules: Rules,
  alerts: BoltComponent<Alert>,
  minutes: BoltComponent<Minute>,
  name = 'log-watch',
) =>
  topology(name)
    .spout('lines', lines)
    .bolt('errors', errors, (from) => from.shuffle('lines'))
    .bolt('watch', watch(rules), (from) => from.fields('errors', ['signature']), { tasks: 2 })
    .bolt('alerts', alerts, (from) => from.shuffle('watch'))
    .bolt('minutes', minutes, (from) => from.global('watch', { stream: 'minutes' }));

export default ({
  name = 'log-watch',
  input = 'app.log',
  output = 'errors.tsv',
  subject = 'alerts.log',
  nats = '',
  minuteMs = '60000',
  minutes = '10',
  factor = '3',
  least = '10',
} = {}) => {
  const rules: Rules = {
    minuteMs: Number(minuteMs),
    minutes: Number(minutes),
    factor: Number(factor),
    least: Number(least),
  };
  return watched(
    fileSpout({ path: input, follow: true }),
    rules,
    natsSink(nats === '' ? { subject } : { subject, nats }),
    linesSink({ path: output }),
    name,
  );
};
