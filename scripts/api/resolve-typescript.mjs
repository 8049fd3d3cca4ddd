/** TypeScript 7 has no API. Tools that need one get TypeScript 6. */
export function resolve(specifier, context, next) {
  return next(specifier === 'typescript' ? 'typescript-with-api' : specifier, context);
}
