/** TypeScript 7 has no API; what needs one gets TypeScript 6. */
export function resolve(specifier, context, next) {
  return next(specifier === 'typescript' ? 'typescript-with-api' : specifier, context);
}
