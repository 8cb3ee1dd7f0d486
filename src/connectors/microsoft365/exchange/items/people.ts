/** 'Ann <ann@example.test>' of what has an `emailAddress`, for people and search; '' for nobody. */
export function personOf(recipient: unknown): string {
  const { emailAddress } = (typeof recipient === 'object' && recipient !== null ? recipient : {}) as { emailAddress?: unknown };
  return addressOf(emailAddress);
}

/** The same of an e-mail address with its name. */
export function addressOf(emailAddress: unknown): string {
  const given = (typeof emailAddress === 'object' && emailAddress !== null ? emailAddress : {}) as { name?: unknown; address?: unknown };
  const [name = '', address = ''] = [given.name, given.address].map((value) => (typeof value === 'string' ? value : ''));
  if (address === '' || address === name) return name;
  return name === '' ? address : `${name} <${address}>`;
}
