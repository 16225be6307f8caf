/** How far the clocks of this machine and of the NATS server are apart. */
import type { NatsTransport } from '../transport/nats.js';
import type { Finding } from './doctor.js';

/** What any user may ask of its own account, JetStream or not; the answer bears the server's time. NATS 2.9 and newer. */
export const CLOCK_SUBJECT = '$SYS.REQ.ACCOUNT.PING.STATZ';
/** The shortest trip of so many says the most. */
const LOOKS = 5;
const ANSWER_WITHIN_MS = 1_000;
/** Less does no harm to people who compare times in the logs of both. Squall itself compares no clocks. */
const LIMIT_MS = 1_000;

export interface ClockLook {
  readonly tripMs: number;
  /** the server's clock less this machine's, at half the trip */
  readonly aheadMs: number;
}

export async function checkClock(transport: NatsTransport): Promise<Finding> {
  const looks: ClockLook[] = [];
  try {
    for (let look = 0; look < LOOKS; look++) {
      const sentAt = Date.now();
      const startedAt = performance.now();
      const answer = await transport.request(CLOCK_SUBJECT, ANSWER_WITHIN_MS);
      const tripMs = performance.now() - startedAt;
      looks.push({ tripMs, aheadMs: timeIn(answer) - (sentAt + tripMs / 2) });
    }
  } catch (error) {
    const text = `the server's clock is not known: it does not answer ${CLOCK_SUBJECT} (${(error as Error).message})`;
    return { check: 'clock', state: 'note', text };
  }
  return clock(looks);
}

/** Pure. `looks`: at least one. */
export function clock(looks: readonly ClockLook[]): Finding {
  const { aheadMs, tripMs } = looks.reduce((best, look) => (look.tripMs < best.tripMs ? look : best));
  // the server took its time somewhere within the trip; this machine's clock is read to the millisecond
  const give = Math.max(1, tripMs / 2);
  const size = Math.abs(aheadMs);
  const apart = size <= give ? 'agrees with' : `is ${milliseconds(size)} ${aheadMs < 0 ? 'behind' : 'ahead of'}`;
  const text = `the server's clock ${apart} this machine's (± ${milliseconds(give)})`;
  if (size - give <= LIMIT_MS) return { check: 'clock', state: 'ok', text };
  return {
    check: 'clock',
    state: 'note',
    text: `${text}: set both by NTP; times in logs and dead letters do not agree, and a JWT may expire too soon`,
  };
}

function timeIn(answer: Uint8Array): number {
  const at = Date.parse(JSON.parse(Buffer.from(answer).toString()).server?.time);
  if (Number.isNaN(at)) throw new Error('its answer has no time');
  return at;
}

function milliseconds(ms: number): string {
  return ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`;
}
