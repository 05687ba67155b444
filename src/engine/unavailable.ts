/** The error for what was asked for and an engine cannot do. */
export function unavailable(message: string): Error {
  const code = "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM";
  return Object.assign(new Error(message), { code });
}
