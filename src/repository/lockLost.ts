import { HoldfastError } from '../domain/index.ts';

/** `repository/lock-lost`: what is put would not be locked, and has to be. */
export function lockLost(location: string): HoldfastError {
  return new HoldfastError('repository/lock-lost', 'input',
    `The repository at ${location} was locked, and no record that says how can be read there, so that nothing is put or deleted. Run 'holdfast check' to see whether somebody `
    + `hid it; 'holdfast repo lock' sets the lock again. If the repository was never locked, somebody with the keys of the bucket put an object under 'locks/': change the keys.`,
    { data: { location } });
}
