import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { clusterSchema, defaultPort } from '../runtime/options/schema.ts';

/* The files that docs/deploy.md shows, as far as they can be tested without a cluster. */

const page = readFileSync(join(import.meta.dirname, 'deploy.md'), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block!);

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: object;
}

interface Service {
  readonly selector: object;
  readonly ports: readonly { readonly port: number }[];
}

interface Container {
  readonly ports: readonly { readonly containerPort: number }[];
  readonly env: readonly { readonly name: string }[];
}

interface Deployment {
  readonly selector: { readonly matchLabels: object };
  readonly template: {
    readonly metadata: { readonly labels: object };
    readonly spec: {
      readonly terminationGracePeriodSeconds: number;
      readonly containers: readonly Container[];
    };
  };
}

test('the Kubernetes manifests fit each other and the program', () => {
  const documents = blocksOf('yaml').flatMap((block) => parseAllDocuments(block));
  for (const { errors } of documents) expect(errors).toEqual([]);
  const manifests = documents.map((document) => document.toJS() as Manifest);
  const specOf = (kind: string) => manifests.find((manifest) => manifest.kind === kind)!.spec;
  const service = specOf('Service') as unknown as Service;
  const deployment = specOf('Deployment') as unknown as Deployment;
  const { spec, metadata } = deployment.template;
  expect(service).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
  expect(service.selector).toEqual(metadata.labels);
  expect(deployment.selector.matchLabels).toEqual(metadata.labels);
  expect(service.ports[0]!.port).toBe(defaultPort);
  expect(spec.containers[0]!.ports[0]!.containerPort).toBe(defaultPort);
  expect(spec.containers[0]!.env.map(({ name }) => name)).toEqual(['POD_IP', 'BATON_SECRET']);
  // Both waits of a graceful close.
  const { closeTimeoutMs } = clusterSchema.parse({ cluster: 'shop' }).limits;
  expect(1_000 * spec.terminationGracePeriodSeconds).toBeGreaterThan(2 * closeTimeoutMs);
  const name = manifests.find(({ kind }) => kind === 'Service')!.metadata.name;
  expect(page).toContain(`name: '${name}.default.svc.cluster.local', port: ${defaultPort}`);
});

const hasSystemd = (() => {
  try {
    execFileSync('systemd-analyze', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!hasSystemd)('systemd takes the unit (skipped where systemd-analyze is not installed)', () => {
  const dir = mkdtempSync(join(tmpdir(), 'unit-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const unit = join(dir, 'shop@0.service');
  // The command must be there; it is that of this machine.
  const [block] = blocksOf('ini');
  writeFileSync(unit, block!.replace('/usr/bin/node', process.execPath));
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  // It says what it does not understand, and goes on. Other units of the machine are not looked at.
  expect(stderr.split('\n').filter((line) => line.includes('shop@'))).toEqual([]);
  expect(status).toBe(0);
});

test('the programs give joinCluster options that it takes, and close at SIGTERM', () => {
  const programs = blocksOf('js').filter((block) => block.includes('joinCluster('));
  expect(programs).toHaveLength(4);
  for (const program of programs) {
    const options = /joinCluster\((\{.*?^\})\)/ms.exec(program)![1]!;
    const found = { watch: () => () => {} };
    const make = new Function('fromDns', 'fromFile', 'process', 'nats', `return ${options}`);
    const parsed = clusterSchema.safeParse(
      make(
        () => found,
        () => found,
        { env: { BATON_SECRET: 's'.repeat(32) } },
        { publish: () => {}, subscribe: () => {} },
      ),
    );
    expect(parsed.error?.issues ?? []).toEqual([]);
    expect(program.includes('guest: true') || program.includes("'SIGTERM'")).toBe(true);
  }
});
