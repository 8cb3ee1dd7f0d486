import { badRequest } from './graphFailure.ts';

/** What a Prefer header asks for. */
export interface Preferences {
  /** Fact 41: holds for this one request alone. */
  readonly immutableIds: boolean;
  readonly maxPageSize: number | undefined;
  readonly timeZone: string | undefined;
  readonly textBodies: boolean;
  readonly minimal: boolean;
  /** What the answer's Preference-Applied says. */
  readonly applied: readonly string[];
}

/** Reads a Prefer header. Unknown preferences are ignored, as RFC 7240 wants. */
export function readPreferences(header: string | undefined): Preferences {
  const parts = (header ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '');
  const values = new Map(parts.map((part) => {
    const [name = '', value = ''] = part.split('=', 2);
    return [name.trim().toLowerCase(), value.trim().replace(/^"(.*)"$/, '$1')];
  }));
  const size = values.get('odata.maxpagesize');
  if (size !== undefined && !/^[1-9]\d*$/.test(size)) throw badRequest(`The value of odata.maxpagesize is not a positive number: ${size}`);
  const immutableIds = values.get('idtype')?.toLowerCase() === 'immutableid';
  const bodyType = values.get('outlook.body-content-type')?.toLowerCase();
  if (bodyType !== undefined && bodyType !== 'text' && bodyType !== 'html') throw badRequest('outlook.body-content-type is text or html.');
  const timeZone = values.get('outlook.timezone');
  return {
    immutableIds,
    maxPageSize: size === undefined ? undefined : Number(size),
    timeZone,
    textBodies: bodyType === 'text',
    minimal: values.get('return') === 'minimal',
    applied: [
      ...(immutableIds ? ['IdType="ImmutableId"'] : []),
      ...(size === undefined ? [] : [`odata.maxpagesize=${size}`]),
      ...(timeZone === undefined ? [] : [`outlook.timezone="${timeZone}"`]),
      ...(bodyType === undefined ? [] : [`outlook.body-content-type="${bodyType}"`]),
      ...(values.get('return') === 'minimal' ? ['return=minimal'] : []),
    ],
  };
}
