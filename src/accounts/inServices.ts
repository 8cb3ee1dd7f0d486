import { sql, type RawBuilder } from 'kysely';
import type { Viewer } from '../domain/index.ts';

/** Whether rows of that service are shown to the viewer; those of none are. `service` is an expression that gives its id or null. */
export function inServices({ services }: Viewer, service: RawBuilder<unknown>): RawBuilder<boolean> {
  return services === undefined ? sql<boolean>`true` : sql<boolean>`(${service} is null or ${service} = any(${[...services]}::text[]))`;
}

/** The same for one that is read already. */
export function seesService({ services }: Viewer, service: string | null | undefined): boolean {
  return services === undefined || service === null || service === undefined || services.includes(service);
}

/** A pattern of `ilike` that finds the text wherever it stands. */
export function containing(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
