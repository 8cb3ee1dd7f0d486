import { readFileSync, writeFileSync } from 'node:fs';
import wabt from 'wabt';

const SOURCE = new URL('../src/repository/chunker.wat', import.meta.url);
const TARGET = new URL('../src/repository/chunkerWasm.ts', import.meta.url);

/** The text of src/repository/chunkerWasm.ts: chunker.wat compiled, as base64. The same source gives the same text. */
export async function chunkerWasmSource(): Promise<string> {
  const tools = await wabt();
  const module = tools.parseWat('chunker.wat', readFileSync(SOURCE, 'utf8'), { simd: true });
  try {
    module.validate();
    const binary = Buffer.from(module.toBinary({ write_debug_names: false }).buffer).toString('base64');
    const lines = binary.match(/.{1,112}/g) ?? [];
    return [
      '// Generated from chunker.wat by tools/buildChunker.ts: change that and run `node tools/buildChunker.ts`.',
      '',
      '/** chunker.wat as a WebAssembly binary in base64. */',
      'export const CHUNKER_WASM =',
      `${lines.map((line) => `  '${line}'`).join(' +\n')};`,
      '',
    ].join('\n');
  } finally {
    module.destroy();
  }
}

if (import.meta.main) writeFileSync(TARGET, await chunkerWasmSource());
