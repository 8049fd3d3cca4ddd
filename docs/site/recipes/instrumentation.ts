export async function register(): Promise<void> {
  if (process.env['NEXT_RUNTIME'] !== 'nodejs') return;
  const { cluster } = await import('./cluster.js');
  const locks = await cluster();
  process.once('SIGTERM', () => void locks.close());
}
