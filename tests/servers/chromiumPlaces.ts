/** Where Debian puts its browser, beside PATH. Apart, so that who only looks whether it is there loads no browser's driver. */
export const CHROMIUM_PLACES: readonly string[] = ['/usr/bin', '/usr/lib/chromium'];
