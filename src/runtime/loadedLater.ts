/**
 * A function, asynchronous now, whose module is loaded when it is first called. For the doors of folders: loading modules is most of a
 * short command's time, and a door is loaded whole.
 */
export function loadedLater<Arguments extends unknown[], Result>(
  load: () => Promise<(...args: Arguments) => Result | Promise<Result>>,
): (...args: Arguments) => Promise<Result> {
  return async (...args) => (await load())(...args);
}
