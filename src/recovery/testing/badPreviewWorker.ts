import { parentPort } from 'node:worker_threads';
import type { PreviewThreadRequest } from '../previewReaders.ts';

/** Stands for a reader that contents can hang or kill; it answers others with the content itself. */
parentPort?.on('message', ({ input }: PreviewThreadRequest) => {
  const text = Buffer.from(input.content).toString();
  if (text === 'hang') for (;;);
  if (text === 'die') process.exit(3);
  parentPort?.postMessage(text === 'fail' ? { error: 'secret parser words' } : { value: { document: text } });
});
