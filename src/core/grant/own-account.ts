/** Whether an account has the name of a grant's own: nothing but its token runs as one. */
export function isOwnAccount(name: string): boolean {
  return /^lapse-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(name)
}
