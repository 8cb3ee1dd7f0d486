import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Location } from '../accounts/index.ts';
import { HoldfastError } from '../domain/index.ts';

const ID = /^[a-z0-9][a-z0-9-]{0,31}$/;

/** The locations of the settings, or one beside the database. Errors: `server/bad-locations`. */
export function readLocations(setting: string | undefined, dataDirectory: string): readonly Location[] {
  if (setting === undefined) return [{ id: 'local', name: 'This machine', storage: pathToFileURL(join(dataDirectory, 'storage')).href }];
  const list = parse(setting);
  if (list === undefined || list.length === 0 || !list.every(isLocation) || new Set(list.map(({ id }) => id)).size < list.length) throw badLocations();
  return list.map(({ id, name, storage }) => ({ id, name, storage }));
}

/** undefined where it is no list. */
function parse(setting: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(setting);
    return Array.isArray(value) ? value : undefined;
  } catch {
    // What is wrong with it is told by the caller, without citing it: addresses may hold secrets.
    return undefined;
  }
}

function isLocation(value: unknown): value is Location {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, storage } = value as Record<string, unknown>;
  return typeof id === 'string' && ID.test(id) && typeof name === 'string' && name !== '' && typeof storage === 'string' && storage !== '';
}

function badLocations(): HoldfastError {
  return new HoldfastError('server/bad-locations', 'input',
    'HOLDFAST_LOCATIONS is no list of locations. It looks like [{"id": "de", "name": "Germany", "storage": "s3://bucket/prefix?region=eu-central-1"}]; ids are small letters, digits and "-", each once.');
}
