import type { ContentText, TextFormat } from '../formats/index.ts';
import { ReaderThreads } from './readerThreads.ts';

export interface TextRequest {
  readonly format: TextFormat;
  readonly content: Uint8Array;
  /** It is only the beginning of one. */
  readonly cut: boolean;
}

/** The words, or why there are none. */
export type TextResult = { readonly text: ContentText } | { readonly code: 'search/unreadable' | 'search/too-slow' | 'search/crashed'; readonly message: string };

export interface TextReadersOptions {
  readonly workers: number;
  /** Processor time that reading one content may take; 60,000 unless told. */
  readonly limitMs?: number;
  readonly signal: AbortSignal;
  /** The worker's entry module, for tests. */
  readonly entry?: URL;
}

const SENTENCES = {
  unreadable: (detail: string): string => `Its text cannot be read (${detail}).`,
  'too-slow': (detail: string): string => `Reading its text took over ${detail}.`,
  crashed: (detail: string): string => `Reading its text ended the reader (${detail}).`,
};

/** Threads that read the words of contents. */
export class TextReaders {
  readonly #threads: ReaderThreads<TextRequest, ContentText>;

  constructor({ entry = new URL('./textWorker.ts', import.meta.url), ...options }: TextReadersOptions) {
    this.#threads = new ReaderThreads({ ...options, entry });
  }

  /** Takes `content`'s memory away from the caller. Rejects as {@link ReaderThreads} do. */
  async read(format: TextFormat, content: Uint8Array<ArrayBuffer>, { cut = false }: { readonly cut?: boolean } = {}): Promise<TextResult> {
    const result = await this.#threads.read({ format, content, cut }, [content.buffer]);
    if ('value' in result) return { text: result.value };
    return { code: `search/${result.failed}`, message: SENTENCES[result.failed](result.detail) };
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
