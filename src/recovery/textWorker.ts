import { parentPort } from 'node:worker_threads';
import { messageOf } from '../domain/index.ts';
import { readText, type ContentText } from '../formats/index.ts';
import type { ThreadReply } from './readerThreads.ts';
import type { TextRequest } from './textReaders.ts';

/** The thread that reads words out of contents that others wrote: it may hang or die of one, and another takes its place. */
const port = parentPort;
if (!port) throw new Error('textWorker runs as a worker thread');

port.on('message', ({ format, content, cut }: TextRequest) => {
  const reply = (answer: ThreadReply<ContentText>): void => port.postMessage(answer);
  readText(format, content, { cut }).then((value) => reply({ value }), (error: unknown) => reply({ error: messageOf(error) }));
});
