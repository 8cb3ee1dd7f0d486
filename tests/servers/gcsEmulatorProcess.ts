/** The process behind `startGcsEmulator`. Arguments: the emulator's module in firebase-tools, the port. */
import { createRequire } from 'node:module';
import { join } from 'node:path';

interface Switchable {
  start(): Promise<unknown>;
  stop(): Promise<unknown>;
}
interface Emulator {
  readonly _rulesRuntime: Switchable;
  readonly _rulesManager: Switchable;
}
type EmulatorClass = new (args: object) => Emulator;

const [entry = '', port = ''] = process.argv.slice(2);
const load = createRequire(entry);
const { StorageEmulator } = load(entry) as { StorageEmulator: EmulatorClass };
const { EmulatorRegistry } = load(join(entry, '..', '..', 'registry.js')) as { EmulatorRegistry: { start(emulator: Emulator): Promise<void> } };

const emulator = new StorageEmulator({ projectId: 'demo-holdfast', host: '127.0.0.1', port: Number(port), rules: { name: 'none', content: '' } });
// Rules are checked by a Java program that would be downloaded; calls of the JSON API are not subject to them.
for (const part of [emulator._rulesRuntime, emulator._rulesManager]) {
  part.start = async () => undefined;
  part.stop = async () => undefined;
}
await EmulatorRegistry.start(emulator);
