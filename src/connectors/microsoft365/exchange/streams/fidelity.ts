/**
 * In which form the content of mails, events and contacts is kept: a readable one (MIME of mails, the document of all else), or the stream in which Exchange gives an item away
 * whole and takes it back, or both. Of events and contacts the document is kept in any case: lists and searches are made of it.
 */
export const FIDELITIES = ['both', 'mime', 'stream'] as const;

export type Fidelity = (typeof FIDELITIES)[number];
