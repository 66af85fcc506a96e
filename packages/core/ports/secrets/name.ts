/** A secret's path: `secret/data/` and lower-case parts. */
export function checkSecretPath(path: string): void {
  if (path.length > 300 || !/^secret\/data\/[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/.test(path))
    throw new RangeError(`"${path}" is not a secret's path: secret/data/ and lower-case parts separated by "/".`)
}
/** The name of an encryption or TOTP key. */
export function checkKeyName(name: string): void {
  if (!/^[a-z0-9][a-z0-9._-]{0,99}$/.test(name))
    throw new RangeError(`"${name}" is not a key's name: lower-case letters, digits, "._-".`)
}
export function checkSecretPrefix(prefix: string): void {
  if (prefix.length > 300 || !/^secret\/data\/([a-z0-9][a-z0-9._-]*\/)*([a-z0-9][a-z0-9._-]*)?$/.test(prefix))
    throw new RangeError(`"${prefix}" is not the beginning of a secret's path: it begins with secret/data/.`)
}
