import { parentPort } from 'node:worker_threads';
import type { TextRequest } from '../textReaders.ts';

/** Stands for a reader that contents can hang, kill or run out of memory; it answers others as the real one does. */
parentPort?.on('message', ({ content }: TextRequest) => {
  const text = Buffer.from(content).toString();
  if (text === 'hang') for (;;);
  if (text === 'die') process.exit(3);
  if (text === 'throw') setImmediate(() => { throw new Error('thrown'); });
  if (text === 'eat') for (const eaten: unknown[] = []; ;) eaten.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
  if (text !== 'throw') parentPort?.postMessage({ value: { authors: '', recipients: '', text, files: '' } });
  if (text === 'later') setTimeout(() => process.exit(0), 1);
});
