export async function soakIdle(_e: string, _n: number): Promise<boolean> {
  return await Promise.resolve(true);
}
