import { WorkerLink } from './workerLink.ts';

/** Deletes the least recently opened caches that no process has open until the others fit; gives the bytes deleted. */
export async function trimCaches(directory: string, maxBytes: number, signal?: AbortSignal): Promise<number> {
  const link = new WorkerLink({ task: 'trim', directory, maxBytes });
  try {
    return Number(await link.started(signal));
  } finally {
    await link.stop();
  }
}
