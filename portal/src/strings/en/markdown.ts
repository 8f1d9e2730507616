// What stands around code, tables and pictures in messages.
export const markdown = {
  'markdown.code': 'Code, {language}',
  'markdown.copyCode': 'Copy code',
  'markdown.image': 'Image not loaded: {alt}',
  'markdown.image.unnamed': 'unnamed',
  'markdown.table': 'Table',
  'markdown.task': 'Task',
  'markdown.text': 'text',
  'markdown.wrap': 'Wrap long lines',
};
