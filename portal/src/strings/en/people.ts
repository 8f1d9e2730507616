// People and invitations.
export const people = {
  'people.activate': 'Let sign in again',
  'people.agents': '{n} agent | {n} agents',
  'people.anybody': 'Anybody with the link',
  'people.breakglass': 'emergency account',
  'people.deactivate': 'Deactivate',
  'people.deactivate.hint':
    'They are signed out everywhere and cannot sign in. Their agents and data stay. You can let them in again.',
  'people.deactivate.title': 'Deactivate {name}?',
  'people.delete.hint':
    'The account, its agents and everything they know are removed. This cannot be undone.',
  'people.delete.title': 'Delete {name}?',
  'people.inactive': 'Deactivated',
  'people.intro':
    "Who may use this installation. Nobody here can read other people's chats or keys, not even you.",
  'people.erase': 'Erase from the log',
  'people.erase.action': 'Erase values',
  'people.erase.done': '{n} value erased | {n} values erased',
  'people.erase.hint':
    'Names, addresses, what they called their agents: every value that the log holds about them and what is theirs is erased, for good. What stays is that something was done, when, and by which account’s id, so the log verifies as before. Their account and their agents are not touched, and what they do from now on is recorded anew.',
  'people.erase.title': 'Erase what the log says of {name}?',
  'people.invitations': 'Open invitations',
  'people.invitations.hint': 'Each link works once.',
  'people.invite': 'Invite',
  'people.invite.action': 'Create link',
  'people.invite.username': 'Leave empty to let them choose.',
  'people.invited': 'Invitation link',
  'people.invited.hint': 'Send this link to the person. It works once and is shown only now.',
  'people.noInvitations': 'No open invitations.',
  'people.resetPassword': 'Set new password',
  'people.resetPassword.hint':
    'Tell them in person; they should change it after signing in. They are signed out everywhere.',
  'people.resetPassword.title': 'New password for {name}',
  'people.revoke': 'Revoke',
  'people.revoke.hint': 'The link stops working at once.',
  'people.revoke.title': 'Revoke this invitation?',
  'people.role': 'Role',
  'people.seen': 'last here',
};
