// How an agent is set up: its model, persona, tools and rhythm.
export const agent = {
  'agent.aboutMe': 'About you',
  'agent.aboutMe.hint': 'What your agent should know about you.',
  'agent.cron': 'May plan its own timed work',
  'agent.cron.hint': 'Reminders and recurring tasks; it wakes up for them.',
  'agent.heartbeat': 'Minutes between heartbeats',
  'agent.heartbeat.hint':
    'At each heartbeat the agent looks by itself whether there is something to do. 0 for none. Uses tokens.',
  'agent.idle': 'Minutes until it falls asleep',
  'agent.idle.hint': 'An agent nobody uses goes to sleep and wakes with the next message.',
  'agent.intro':
    'How your agent is, which model it uses and what it may do. Changes take effect with the next message.',
  'agent.model': 'Model',
  'agent.name': 'Name of the agent',
  'agent.noProvider': 'There is no model provider yet.',
  'agent.persona': 'Persona',
  'agent.persona.hint': 'How it should be, in your own words.',
  'agent.rhythm': 'Rhythm',
  'agent.tools': 'Tools',
  'agent.tools.hint': 'Whatever you choose: it works inside its own sandbox and cannot reach your computer.',
  'tools.ask': 'Files and commands, asking me first',
  'tools.ask.hint': 'Before each command it asks you in the chat.',
  'tools.full': 'Files and commands',
  'tools.full.hint': 'Inside its sandbox, without asking.',
  'tools.none': 'Talk only',
  'tools.none.hint': 'No files, no commands.',
};
