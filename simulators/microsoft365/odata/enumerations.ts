/** Properties whose values are members of enumerations, wherever they stand. */
const NAMES = new Set(['importance', 'sensitivity', 'showAs', 'type', 'contentType', 'locationType', 'status', 'externalAudience', 'flagStatus', 'daysOfWeek', 'dayOfWeek', 'firstDayOfWeek', 'index',
  'inferenceClassification', 'onlineMeetingProvider', 'response', 'color', 'uniqueIdType']);

/** A body with its enumerations in the service's own case: it takes 'HTML' and 'Low', and shows 'html' and 'low'. */
export function withOwnCase(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => withOwnCase(entry, name));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withOwnCase(inner, key)]));
  // A folder's class, as IPF.Note, is a 'type' and no member of an enumeration.
  if (typeof value !== 'string' || !NAMES.has(name) || value.includes('.')) return value;
  return value === value.toUpperCase() ? value.toLowerCase() : `${value.slice(0, 1).toLowerCase()}${value.slice(1)}`;
}
