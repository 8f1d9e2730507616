// Where messages are written.
export const composer = {
  'composer.asleep': 'Write to {agent}; it wakes up for it',
  'composer.attach': 'Attach files',
  'composer.filesOnly': 'Please look at these files.',
  'composer.keys': 'Enter sends, Shift+Enter for a new line',
  'composer.label': 'Message',
  'composer.placeholder': 'Write to {agent}',
  'composer.remove': 'Remove {name}',
  'composer.send': 'Send',
  'composer.stop': 'Stop',
  'composer.tooLarge': '{name} is larger than 20 MB.',
  'composer.unreadable': '{name} could not be read.',
  'composer.wrongType': '{name} is neither a picture nor text.',
};
