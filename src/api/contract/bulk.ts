import { z } from 'zod';
import { route } from './route.ts';
import { Id } from './schemas.ts';

const TAGS = ['Bulk activation'];
/** In a body of 1 MiB there is room for it, escaped. */
const MOST_CSV = 900_000;

const LeftLine = z.object({
  line: z.int().describe('The first of the file is 1'), address: z.string(), why: z.enum(['unknown', 'archived', 'deleting']).describe('unknown: the task has no such address'),
});

export const bulk = {
  activateListed: route({ who: 'permitted', permission: 'tasks.activate' }, {
    method: 'POST', path: '/api/v1/tasks/{id}/bulk-activation/csv', summary: 'Activate whose addresses a CSV lists', tags: TAGS,
    description: 'The file has the single column "Account Email". A line that activates nothing is told; larger files come in parts.',
  }).input(z.object({ id: Id, csv: z.string().max(MOST_CSV, `at most ${MOST_CSV} characters: send a larger file in parts, each with the first line`) })).output(z.object({
    lines: z.int().describe('Lines with an address; each counts in one of the others'), activated: z.int(), already: z.int().describe('Were active before'),
    repeated: z.int().describe('Addresses that stand further up'), left: z.int().describe('Activated nothing'), leftLines: z.array(LeftLine).describe('The first 500 of those'),
  })),
};
