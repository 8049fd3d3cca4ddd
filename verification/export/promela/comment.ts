/** A text within a comment of C or Promela. */
export function comment(text: string): string {
  return text.replaceAll('*/', '* /').replaceAll('\n', ' ');
}
