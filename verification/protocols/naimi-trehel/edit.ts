import { siteMachine } from '../../../machines/naimi-trehel/site.ts';
import { editorOf } from '../../system/edit.ts';

/** Edits of the site machine. */
export const { part, replace, remove } = editorOf(siteMachine);
