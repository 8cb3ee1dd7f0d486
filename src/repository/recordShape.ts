import { damaged } from './sealedObject.ts';

/** Whether a value that came out of JSON is what its reader relies on. */
export type Shape = (value: unknown) => boolean;

export const isText: Shape = (value) => typeof value === 'string';
export const isCount: Shape = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const isFlag: Shape = (value) => typeof value === 'boolean';
export const isNumber: Shape = (value) => typeof value === 'number';

export function listOf(element: Shape): Shape {
  return (value) => Array.isArray(value) && value.every(element);
}

export function orNull(shape: Shape): Shape {
  return (value) => value === null || shape(value);
}

export function orMissing(shape: Shape): Shape {
  return (value) => value === undefined || shape(value);
}

/** An object with at least these members: others are passed over, as the format says. */
export function objectOf(members: Readonly<Record<string, Shape>>): Shape {
  const wanted = Object.entries(members);
  return (value) => typeof value === 'object' && value !== null && wanted.every(([name, shape]) => shape((value as Record<string, unknown>)[name]));
}

/** The value, where it has the shape. Throws `repository/damaged`: whoever holds the key may have sealed anything. */
export function shaped<T>(name: string, value: unknown, shape: Shape): T {
  if (!shape(value)) throw damaged(name, 'what is sealed in it is not what its kind holds');
  return value as T;
}

/** JSON text of a container's directory. Throws `repository/damaged`. */
export function shapedJson<T>(name: string, text: Buffer, shape: Shape): T {
  let value: unknown;
  try {
    value = JSON.parse(text.toString());
  } catch (error) {
    throw damaged(name, 'its directory is not JSON', error);
  }
  return shaped<T>(name, value, shape);
}
