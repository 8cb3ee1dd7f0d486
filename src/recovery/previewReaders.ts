import type { Preview } from '../domain/index.ts';
import type { FoundPart, PreviewInput, PreviewSource } from '../formats/index.ts';
import { ReaderThreads } from './readerThreads.ts';

/** `as`: the preview of the item or, with its id, of a part; the bytes of a part; or the document that the content is, without a `source`. */
export interface PreviewThreadRequest {
  readonly as: 'preview' | 'bytes' | 'document';
  readonly source?: PreviewSource;
  readonly input: PreviewInput;
  readonly part?: string | undefined;
}

export type PreviewThreadValue = { readonly preview: Preview } | { readonly part: FoundPart } | { readonly document: unknown } | PreviewFailed;

export interface PreviewFailed {
  /** Stable, begins with 'preview/'. */
  readonly code: string;
  /** For a person. */
  readonly message: string;
}

export interface PreviewReadersOptions {
  /** 1 unless told. */
  readonly workers?: number;
  /** Processor time that one preview may take; 10,000 unless told. */
  readonly limitMs?: number;
  readonly signal: AbortSignal;
  /** The worker's entry module, for tests. */
  readonly entry?: URL;
}

const SENTENCES: Readonly<Record<'unreadable' | 'too-slow' | 'crashed', string>> = {
  unreadable: 'It cannot be shown: it is not what it should be. Restore or export it to see it.',
  'too-slow': 'It cannot be shown: reading it takes too long. Restore or export it to see it.',
  crashed: 'It cannot be shown: reading it takes more memory than it may. Restore or export it to see it.',
};

/** Threads in which previews are made: a person waits, so they get less time than a search has for its words. */
export class PreviewReaders {
  readonly #threads: ReaderThreads<PreviewThreadRequest, PreviewThreadValue>;

  constructor({ entry = new URL('./previewWorker.ts', import.meta.url), workers = 1, limitMs = 10_000, signal }: PreviewReadersOptions) {
    this.#threads = new ReaderThreads({ entry, workers, limitMs, signal });
  }

  /** Takes the memory of the content away from the caller. What went wrong inside of the thread is no more than a sentence here. */
  async read(request: PreviewThreadRequest, signal?: AbortSignal): Promise<PreviewThreadValue> {
    const result = await this.#threads.read(request, [request.input.content.buffer as ArrayBuffer], signal);
    return 'value' in result ? result.value : { code: `preview/${result.failed}`, message: SENTENCES[result.failed] };
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
