// The list of agents, and recent activity beside it.
export const instances = {
  'activity.all': 'Show all',
  'activity.intro': 'What you did, and what happened to what is yours.',
  'activity.none': 'Nothing yet. What happens shows here at once.',
  'activity.title': 'Recent activity',
  'instances.all': "Everybody's",
  'instances.intro': 'Each agent lives in an isolated space of its own.',
  'instances.lastActive': 'Last active',
  'instances.new': 'New agent',
  'instances.new.action': 'Create and start',
  'instances.new.hint': 'It gets its own space, memory and files, and uses your agent settings.',
  'instances.none': 'No agents yet',
  'instances.none.hint': 'Create your first agent; it starts within seconds.',
  'instances.noneFound': 'No agent matches',
  'instances.own': 'Mine',
  'instances.search': 'Search agents',
  'instances.whose': 'Whose agents',
};
