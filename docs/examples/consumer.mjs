// Reads diplomatic events from Kafka and prints one line each: node consumer.mjs HOST:PORT [--most N]
// Needs only: npm install kafkajs@2.2.4
import { parseArgs } from 'node:util';
import kafkajs from 'kafkajs';

const KNOWN_VERSION = 1;
const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    topic: { type: 'string', default: 'events.diplomatic' },
    group: { type: 'string', default: 'example-javascript' },
    most: { type: 'string' },
  },
});
const sides = (event, field) => event[field].map((side) => side.code).join(',');

const kafka = new kafkajs.Kafka({ clientId: given.group, brokers: positionals, logLevel: kafkajs.logLevel.ERROR });
// readUncommitted false, the default, leaves out events of aborted transactions.
const consumer = kafka.consumer({ groupId: given.group, readUncommitted: false });
const seen = new Set();
let read = 0;

async function eachMessage({ message }) {
  const event = JSON.parse(message.value.toString());
  if (event.schema_version > KNOWN_VERSION) {
    throw new kafkajs.KafkaJSNonRetriableError(`version ${event.schema_version} is newer than this reader`);
  }
  if (!seen.has(event.event_id)) { // A replay brings the same event_id again.
    seen.add(event.event_id);
    console.log(event.type, sides(event, 'actors'), '->', sides(event, 'recipients') || '-', event.claim);
  }
  read += 1;
  if (String(read) === given.most) done();
}

let done;
const finished = new Promise((resolve) => { done = resolve; });
process.once('SIGINT', done);
process.once('SIGTERM', done);
consumer.on(consumer.events.CRASH, ({ payload }) => {
  if (payload.restart) return;
  process.exitCode = 1;
  console.error(payload.error.message);
  done();
});
await consumer.connect();
await consumer.subscribe({ topics: [given.topic], fromBeginning: true });
await consumer.run({ eachMessage });
await finished;
await consumer.disconnect();
