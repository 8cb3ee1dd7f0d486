/** Told to who listens, when entities of a task are to be read. */
export const DISCOVERY_CHANNEL = 'holdfast_discovery';
