import { CHUNKER_WASM } from './chunkerWasm.ts';

/** The functions of chunker.wat over one memory; addresses are offsets in `memory`. What they do is said there. */
export interface ChunkerKernel {
  readonly memory: ArrayBuffer;
  readonly cut: CutScan;
  decodeLines(source: number, end: number, line: number, eol: number, target: number): number;
  encodeLines(source: number, end: number, bytes: number, eol: number, target: number): number;
}

/** See `cut` in chunker.wat. */
export type CutScan = (
  from: number,
  min: number,
  normal: number,
  hard: number,
  strict: number,
  loose: number,
) => number;

/** What is used of the global `WebAssembly`, whose types come with no library that is loaded here. */
interface Wasm {
  Module: new (binary: Uint8Array) => object;
  Memory: new (size: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  Instance: new (module: object, imports: object) => { readonly exports: Omit<ChunkerKernel, 'memory'> };
  validate(binary: Uint8Array): boolean;
}

const PAGE = 65536;
let compiled: object | undefined;

/**
 * A kernel with a fixed memory of at least `bytes`, or undefined where there is no WebAssembly with SIMD (`--jitless`,
 * x86 before SSE4.1): callers then use their own slower way, which gives the same answers.
 */
export function chunkerKernel(bytes: number): ChunkerKernel | undefined {
  const { WebAssembly: wasm } = globalThis as { WebAssembly?: Wasm };
  if (wasm === undefined) return undefined;
  if (compiled === undefined) {
    const binary = Buffer.from(CHUNKER_WASM, 'base64');
    if (!wasm.validate(binary)) return undefined;
    compiled = new wasm.Module(binary);
  }
  const pages = Math.ceil(bytes / PAGE);
  const memory = new wasm.Memory({ initial: pages, maximum: pages });
  const { cut, decodeLines, encodeLines } = new wasm.Instance(compiled, { host: { memory } }).exports;
  return { memory: memory.buffer, cut, decodeLines, encodeLines };
}
