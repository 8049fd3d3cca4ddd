import { CodedError } from '../../machines/errors.ts';

/**
 * - `EXPORT_REFUSED`: the system, or a property, has something that the other tool's language cannot say; the message names it.
 * - `TABLE_INCOMPLETE`: the exploration that fills the table came to a limit.
 */
export class ExportError extends CodedError<'EXPORT_REFUSED' | 'TABLE_INCOMPLETE'> {}
