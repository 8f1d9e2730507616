// What stands on the page of one’s own account.
export const account = {
  'account.intro': 'Your name, your password and how things look to you.',
  'account.password': 'Password',
  'account.password.current': 'Current password',
  'account.password.new': 'New password',
  'account.password.change': 'A new password ends your sessions in all other browsers.',
  'account.password.none':
    'You sign in with an identity provider and have no password yet. Set one to sign in with your username as well; it is taken within 15 minutes of signing in.',
  'account.signInAgain': 'Sign in again',
  'account.signedInAs': 'Signed in as {name}, {role}.',
  'appearance.intro': 'The language goes with your account; the colours stay in this browser.',
  'appearance.title': 'Language and colours',
  'sessions.browserOn': '{browser} on {system}',
  'sessions.current': 'This one',
  'sessions.end': 'Sign out',
  'sessions.end.hint': 'That browser is signed out at once.',
  'sessions.end.title': 'Sign out {name}?',
  'sessions.ends': 'ends',
  'sessions.intro': 'Browsers in which you are signed in.',
  'sessions.unknown': 'Unknown browser',
  'sessions.used': 'used',
};
