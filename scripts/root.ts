/** The repository's folder, with a slash at the end. */
export const ROOT = new URL('..', import.meta.url).pathname
