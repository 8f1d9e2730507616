// What stands around code, tables and pictures in messages, in German.
import type { markdown as en } from '../en/markdown';

export const markdown = {
  'markdown.code': 'Code, {language}',
  'markdown.copyCode': 'Code kopieren',
  'markdown.image': 'Bild nicht geladen: {alt}',
  'markdown.image.unnamed': 'ohne Namen',
  'markdown.table': 'Tabelle',
  'markdown.task': 'Aufgabe',
  'markdown.text': 'Text',
  'markdown.wrap': 'Lange Zeilen umbrechen',
} satisfies Record<keyof typeof en, string>;
