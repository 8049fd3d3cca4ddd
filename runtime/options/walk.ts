import * as z from 'zod';

/** Returns the schema inside an optional one. */
export function inner(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodReadonly
    ? inner(schema.unwrap() as z.ZodType)
    : schema;
}

/** Returns the schema of the value at `path` within `schema`. */
export function schemaAt(schema: z.ZodType, path: readonly string[]): z.ZodType {
  const here = inner(schema);
  const [key, ...rest] = path;
  if (key === undefined) return here;
  if (here instanceof z.ZodObject) return schemaAt(here.shape[key] as z.ZodType, rest);
  if (here instanceof z.ZodRecord) return schemaAt(here.valueType as z.ZodType, rest);
  if (here instanceof z.ZodArray) return schemaAt(here.element as z.ZodType, rest);
  return here;
}

export function keysOf(schema: z.ZodType): string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}
