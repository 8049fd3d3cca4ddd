/** The part of the WebAssembly interface that is used here. Node's types do not declare it. */
export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

interface Interface {
  readonly Memory: new (limits: { initial: number; maximum: number; shared: true }) => SharedMemory;
  readonly Module: new (code: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly env: Readonly<Record<string, unknown>> },
  ) => { readonly exports: Readonly<Record<string, unknown>> };
}

export const webAssembly: Interface = (globalThis as unknown as { WebAssembly: Interface }).WebAssembly;
