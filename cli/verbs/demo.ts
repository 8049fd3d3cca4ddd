import type { Command } from 'commander';
export function addDemo(program: Command): void {
  program.command('demo');
}
export function addDemoSite(program: Command): void {
  program.command('demo-site', { hidden: true });
}
