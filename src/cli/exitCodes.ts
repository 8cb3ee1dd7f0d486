/** What the command line answers to who started it; see docs/guides/command-line.md. */
export const EXIT = { done: 0, failed: 1, usage: 2, warnings: 3, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
