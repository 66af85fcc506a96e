/** A name that could leave its folder, or that two systems would read differently, is refused. */
export function checkBlobName(name: string): void {
  if (name.length > 500 || !/^[a-z0-9][a-z0-9._-]*(\/[a-z0-9][a-z0-9._-]*)*$/.test(name)) {
    throw new RangeError(`"${name}" is not a blob's name: lower-case letters, digits, "._-", parts separated by "/".`)
  }
}
