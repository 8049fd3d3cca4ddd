import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { expect, onTestFinished, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { keys } from '../cli/config/keys.ts';
import { configure } from '../cli/config/settings.ts';
import { addSite, type SiteVerbOptions } from '../cli/verbs/site.ts';
import { clusterSchema, defaultPort } from '../runtime/options/schema.ts';

/* The files that docs/deploy.md shows, as far as they can be tested without a cluster. */

const page = readFileSync(join(import.meta.dirname, 'deploy.md'), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(([, block]) => block!);

interface Service {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly selector: object; readonly ports: readonly { readonly port: number }[] };
}

interface Variable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string }; readonly secretKeyRef?: object };
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: number };
}

interface Container {
  readonly command?: readonly string[];
  readonly stdin?: boolean;
  readonly ports: readonly { readonly containerPort: number }[];
  readonly env: readonly Variable[];
  readonly readinessProbe: Probe;
  readonly livenessProbe?: Probe;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Workload {
  readonly kind: 'Deployment' | 'StatefulSet';
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas: number;
    readonly serviceName?: string;
    readonly podManagementPolicy?: string;
    readonly selector: { readonly matchLabels: object };
    readonly template: {
      readonly metadata: { readonly labels: object };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly [Container];
      };
    };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

/** Each block shows a service and its pods. */
const shapes = blocksOf('yaml').map((block) => {
  const documents = parseAllDocuments(block);
  for (const { errors } of documents) expect(errors).toEqual([]);
  const [service, workload] = documents.map((document) => document.toJS());
  return { service: service as Service, workload: workload as Workload };
});
const shapeOf = (kind: Workload['kind']) => shapes.find(({ workload }) => workload.kind === kind)!;

/** The environment of a pod, as Kubernetes makes it. */
function environmentOf({ env }: Container, pod: string): Record<string, string> {
  const fields: Readonly<Record<string, string>> = { 'metadata.name': pod, 'status.podIP': '10.0.0.1' };
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      const { fieldRef, secretKeyRef } = valueFrom ?? {};
      const found = value ?? (fieldRef ? fields[fieldRef.fieldPath] : secretKeyRef && 's'.repeat(32));
      expect(found, name).toBeTypeOf('string');
      return [name, found!];
    }),
  );
}

test.each(shapes)(
  'the Kubernetes manifests of a $workload.kind fit each other and the program',
  ({ service, workload }) => {
    const { spec, metadata } = workload.spec.template;
    const [container] = spec.containers;
    expect(service.spec).toMatchObject({ clusterIP: 'None', publishNotReadyAddresses: true });
    expect(service.spec.selector).toEqual(metadata.labels);
    expect(workload.spec.selector.matchLabels).toEqual(metadata.labels);
    expect(service.spec.ports[0]!.port).toBe(defaultPort);
    expect(container.ports[0]!.containerPort).toBe(defaultPort);
    // By POD_IP others are told where the pod listens. All other variables are settings.
    const variables = container.env.map(({ name }) => name).filter((name) => name !== 'POD_IP');
    expect(variables).toHaveLength(container.env.length - 1);
    const known = keys.map(({ variable }) => variable);
    expect(variables.filter((name) => !known.includes(name))).toEqual([]);
    // All that a graceful close waits for.
    const { closeTimeoutMs } = clusterSchema.parse({ cluster: 'shop' }).limits;
    const longestCloseMs = 10_000 + 4 * closeTimeoutMs;
    expect(1_000 * spec.terminationGracePeriodSeconds).toBeGreaterThan(longestCloseMs);
    expect(page).toContain(`at most ${longestCloseMs / 1_000} s by default`);
    const { name } = service.metadata;
    expect(page).toContain(`name: '${name}.default.svc.cluster.local', port: ${defaultPort}`);
  },
);

test('each pod of the StatefulSet runs a command that is there, with options that fit those of the others', () => {
  const { service, workload } = shapeOf('StatefulSet');
  const { replicas, serviceName, podManagementPolicy, template, volumeClaimTemplates } = workload.spec;
  const [container] = template.spec.containers;
  const [program, verb, ...args] = container.command!;
  const { bin } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'));
  expect(Object.keys(bin)).toContain(program);
  const baton = new Command();
  addSite(baton);
  const [command] = baton.commands as [Command];
  expect(command.name()).toBe(verb);
  expect(command.parseOptions(args)).toEqual({ operands: [], unknown: [] });
  const flags = command.opts<SiteVerbOptions>();
  const probed = [container.readinessProbe, container.livenessProbe!].map(({ httpGet }) => httpGet);
  expect(probed).toEqual([
    { path: '/ready', port: flags.metrics!.port },
    { path: '/live', port: flags.metrics!.port },
  ]);
  expect(flags.metrics!.host).toBe('0.0.0.0');

  const names = Array.from({ length: replicas }, (_, ordinal) => `${workload.metadata.name}-${ordinal}`);
  for (const site of names) {
    const { options, doubts } = configure(flags, environmentOf(container, site));
    expect(doubts).toEqual([]);
    const others = names.filter((name) => name !== site);
    const peers = others.map((name) => [name, { host: `${name}.${serviceName}`, port: defaultPort }]);
    expect(options).toMatchObject({ site, peers: Object.fromEntries(peers) });
    expect(options.dataDir).toBe(container.volumeMounts![0]!.mountPath);
  }
  expect(serviceName).toBe(service.metadata.name);
  expect(container.volumeMounts![0]!.name).toBe(volumeClaimTemplates![0]!.metadata.name);
  // Alone a founder with a name is never ready, and its input would end it.
  expect(podManagementPolicy).toBe('Parallel');
  expect(container.stdin).toBe(true);
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
