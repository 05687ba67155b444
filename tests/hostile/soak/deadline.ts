/** Milliseconds; only something that was lost takes that long. */
const LONG = 30_000;

/** Rejects when something takes so long that it will never come. */
export async function deadline<T>(
  promise: Promise<T>,
  what: string,
): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Gave up on ${what}`)), LONG);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
