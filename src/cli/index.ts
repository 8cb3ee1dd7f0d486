export { runCommandLine, type Surroundings } from './runCommandLine.ts';
