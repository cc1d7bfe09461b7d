/** The user called a command wrongly. The message names what is wrong and what was expected, and is printed as it is. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
