import { parentPort } from 'node:worker_threads';
import { messageOf } from '../domain/index.ts';
import { PreviewFailure, readDocument, readPart, readPartPreview, readPreview } from '../formats/index.ts';
import type { PreviewThreadRequest, PreviewThreadValue } from './previewReaders.ts';
import type { ThreadReply } from './readerThreads.ts';

/** The thread that makes previews of contents that others wrote: it may hang or die of one, and another takes its place. */
const port = parentPort;
if (!port) throw new Error('previewWorker runs as a worker thread');

port.on('message', (request: PreviewThreadRequest) => {
  const reply = (answer: ThreadReply<PreviewThreadValue>): void => port.postMessage(answer);
  answerTo(request).then((value) => reply({ value }), (error: unknown) => reply({ error: messageOf(error) }));
});

async function answerTo({ as, source, input, part }: PreviewThreadRequest): Promise<PreviewThreadValue> {
  try {
    if (as === 'document') return { document: await readDocument(input) };
    if (source === undefined) throw new TypeError('a preview of nothing');
    if (as === 'bytes') return { part: await readPart(source, input, part ?? '') };
    return { preview: part === undefined ? await readPreview(source, input) : await readPartPreview(source, input, part) };
  } catch (error) {
    if (error instanceof PreviewFailure) return { code: error.code, message: error.message };
    throw error;
  }
}
