/** Subjects of JetStream's API that our own calls need, and no others. */
import type { Rights } from '../topology/definition.js';
import type { MakeStream } from './stream-option.js';

/** To publish to a stream; `subject` undefined: only a function of the author's knows to which subjects. */
export function appendRights(subject: string | undefined, make: MakeStream | undefined): Partial<Rights> {
  const publish = [...makeRights(make), ...(subject === undefined ? [] : ['$JS.API.STREAM.NAMES', subject])];
  return { publish, requests: true, unknown: subject === undefined };
}

/** To read a stream by a durable consumer that is made where there is none. */
export function consumeRights(stream: string, consumer: string, make: MakeStream | undefined): Partial<Rights> {
  const publish = [
    ...makeRights(make),
    `$JS.API.STREAM.INFO.${stream}`,
    `$JS.API.CONSUMER.INFO.${stream}.${consumer}`,
    `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.${consumer}`,
    `$JS.API.CONSUMER.MSG.NEXT.${stream}.${consumer}`,
    // deliveries, both numbers, time and what waits stand behind
    `$JS.ACK.${stream}.${consumer}.*.*.*.*.*`,
  ];
  return { publish, requests: true };
}

function makeRights(make: MakeStream | undefined): readonly string[] {
  return make === undefined
    ? []
    : ['INFO', 'CREATE', 'UPDATE'].map((action) => `$JS.API.STREAM.${action}.${make.name}`);
}
