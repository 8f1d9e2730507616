// What was used.
export const usage = {
  'usage.all': 'Everybody',
  'usage.calls': 'Calls',
  'usage.day': 'Day',
  'usage.days': '{n} days',
  'usage.failed': 'Failed',
  'usage.in': 'Tokens in',
  'usage.intro': 'What your agents used, by day (UTC) and model.',
  'usage.none': 'Nothing used yet',
  'usage.none.hint': 'The first message shows up here.',
  'usage.out': 'Tokens out',
  'usage.period': 'Period',
};
