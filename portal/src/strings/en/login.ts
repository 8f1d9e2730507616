// Signing in, and accepting an invitation.
export const login = {
  'invitation.action': 'Create account',
  'invitation.hint': 'You were invited. Choose how you sign in.',
  'invitation.title': 'Welcome to Fractal',
  'invitation.token': 'Invitation',
  'invitation.token.hint': 'The link you were sent, or the part after the #.',
  'login.action': 'Sign in',
  'login.displayName': 'Name shown to others',
  'login.or': 'or with a password',
  'login.password': 'Password',
  'login.title': 'Sign in',
  'login.username': 'Username',
  'login.with': 'Continue with {name}',
  'password.hint': 'At least 12 characters. Several words make a good one.',
  'password.short': 'At least 12 characters.',
  'username.hint': 'Small letters, digits, dot, dash or underscore.',
};
