// Prints, as JSON, what the AsyncAPI parser says of the document at the path given, and what it found in it.
import { readFileSync } from 'node:fs';
import asyncapi from '@asyncapi/parser';

const { document, diagnostics } = await new asyncapi.Parser().parse(readFileSync(process.argv[2], 'utf8'));
console.log(JSON.stringify({
  diagnostics: diagnostics.map(({ severity, path, message }) => ({ severity, path: path.join('/'), message })),
  channels: document ? document.allChannels().all().map((channel) => channel.address()) : [],
  operations: document ? document.allOperations().all().map((operation) => operation.id()) : [],
}));
