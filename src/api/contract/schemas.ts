import { z } from 'zod';
import { ACTIVITY_STATUSES, LIMITS, PERMISSIONS, ROLES, SCOPES } from '../../domain/index.ts';

/** Answer to every request that was not served (RFC 9457). */
export const Problem = z.object({
  type: z.string().describe('An urn of the code'),
  title: z.string(),
  status: z.int(),
  detail: z.string().describe('A sentence for a person: what is wrong, and what to do'),
  code: z.string().describe('Stable, for programs'),
  requestId: z.string().describe('To be given to who runs the service'),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional().describe('Which parts of the input are wrong'),
});

export type Problem = z.infer<typeof Problem>;

export const Id = z.string().min(1).max(64).regex(/^[A-Za-z0-9_-]+$/);
export const Email = z.email().max(254).transform((text) => text.toLowerCase());
/** One line that a person reads. */
export const Name = z.string().trim().min(1).max(120).regex(/^[^\p{Cc}\p{Zl}\p{Zp}]+$/u, 'one line without control characters');
export const Password = z.string().min(12, 'at least 12 characters').max(128, 'at most 128 characters');
/** The one that the caller has: proof that they are there in person. */
export const CurrentPassword = z.string().min(1).max(128);
export const Time = z.iso.datetime();
export const Role = z.enum(ROLES);
export const Permission = z.enum(PERMISSIONS);
export const Limit = z.enum(LIMITS).describe('What keeps the user out of all but what mends it');
export const Scope = z.enum(SCOPES);

/** One of the values, or several with commas between: any of them. */
export const Words = z.string().max(500).regex(/^[\w.-]+(,[\w.-]+)*$/).describe('One, or several with commas between');
const status = `(${ACTIVITY_STATUSES.join('|')})`;
export const Statuses = z.string().max(200).regex(new RegExp(`^${status}(,${status})*$`)).describe(`One of ${ACTIVITY_STATUSES.join(', ')}, or several with commas between`);
/** What is looked for in the fields of a list. */
export const SearchText = z.string().trim().min(1).max(200).regex(/^[^\p{Cc}\p{Cs}]+$/u, 'text without control characters');
export const Order = z.enum(['newest', 'oldest']);
/** In an address. */
export const Flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Values with commas between, as they stand in an address. */
export function commaList<T extends z.ZodType<string, string>>(item: T) {
  return z.string().max(2_000).transform((text) => text.split(',')).pipe(z.array(item).min(1).max(50)).describe('One or more, with commas between');
}

/** A page of a list is asked for by where the one before ended. */
export const PageInput = z.object({
  cursor: z.string().max(200).optional().describe('`next` of the page before'),
  limit: z.coerce.number().int().min(1).max(200).default(50),
});

/** A page of a list of `item`. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().optional().describe('Given as `cursor` it leads to the next page; absent on the last one') });
}

/** A property that a directory has of accounts. */
export const Property = z.string().min(1).max(60).regex(/^[A-Za-z][A-Za-z0-9]*$/);

/** What the directory says of accounts. */
export const Conditions = z.record(Property, z.array(z.string().max(320).regex(/^[^\p{Cc}\p{Cs}]*$/u, 'text without control characters')).min(1).max(200))
  .refine((conditions) => { const { length } = Object.keys(conditions); return length > 0 && length <= 10; }, 'one to ten properties')
  .describe('Property to values, any of which has to be the account\'s; "" is: says nothing. All properties have to fit');

/** The same as it stands in an address: JSON. */
export const ConditionsText = z.string().max(8_000).transform((text, context) => {
  try {
    return JSON.parse(text) as Record<string, string[]>;
  } catch {
    context.addIssue({ code: 'custom', message: 'JSON: property to values' });
    return z.NEVER;
  }
}).pipe(Conditions);
