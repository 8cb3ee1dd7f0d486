/** Node hands out smaller buffers as parts of one that they share. */
const SHARED_BELOW = Buffer.poolSize;

/**
 * Gives the memory of a large buffer back at once; small ones are left to the collector. Buffers of compression and
 * encryption lie outside of V8's heap, and V8 lets some 64 MB of dead ones a thread pile up before it looks: with three
 * threads that is most of a backup's memory, and collecting oftener instead costs a quarter of its CPU.
 *
 * `bytes` may be a view; all of the buffer behind it is gone afterwards, for every view of it. For whoever made it alone.
 */
export function freeBuffer(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength > SHARED_BELOW) bytes.buffer.transfer(0);
}
