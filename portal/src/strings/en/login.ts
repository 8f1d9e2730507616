// Signing in, and accepting an invitation.
import type { SignInReason } from '../../api/types';

/** Every reason of the server is told. */
type Reasons = Record<`login.refused.${SignInReason}${'' | '.remedy'}`, string>;

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
  'login.refused.address-refused': 'The identity provider is at an address that is not permitted',
  'login.refused.address-refused.remedy':
    'Sign in with your password. An administrator can permit a private network in the settings, Sign-in: “It is on this machine or in a private network”.',
  'login.refused.cancelled': 'You cancelled at the identity provider',
  'login.refused.cancelled.remedy': 'Try again, or sign in another way.',
  'login.refused.client-refused':
    'The identity provider does not accept the client id and secret of this installation',
  'login.refused.client-refused.remedy': 'An administrator has to correct them in the settings, Sign-in.',
  'login.refused.clock': 'The identity provider’s answer has expired or lies in the future',
  'login.refused.clock.remedy':
    'Try again. If it stays so, an administrator has to compare the clocks of both machines.',
  'login.refused.code-refused': 'The identity provider no longer accepts this sign-in',
  'login.refused.code-refused.remedy': 'Begin again.',
  'login.refused.declined': 'The identity provider refused to begin',
  'login.refused.declined.remedy':
    'An administrator has to check client id, redirect address and scopes there.',
  'login.refused.link-over': 'The session in which you began to link is over',
  'login.refused.link-over.remedy': 'Sign in, then begin again in the settings, Account.',
  'login.refused.link-stale': 'An identity is only linked soon after signing in',
  'login.refused.link-stale.remedy': 'Sign out and in again, then link it within 15 minutes.',
  'login.refused.linked-elsewhere': 'This identity is linked to another account here',
  'login.refused.linked-elsewhere.remedy':
    'Choose another one at the identity provider, or ask an administrator.',
  'login.refused.no-account': 'No account here is linked to this identity',
  'login.refused.no-account.remedy':
    'Ask an administrator for an invitation. If you have an account, sign in and link it in the settings, Account.',
  'login.refused.no-free-name': 'No free username was found for you',
  'login.refused.no-free-name.remedy': 'Ask an administrator for an invitation.',
  'login.refused.no-id-token': 'The identity provider does not say who you are',
  'login.refused.no-id-token.remedy':
    'An administrator has to choose one that supports OpenID Connect, not only OAuth.',
  'login.refused.not-begun': 'This sign-in was not begun in this browser, or took longer than ten minutes',
  'login.refused.not-begun.remedy': 'Begin again.',
  'login.refused.not-described': 'The identity provider does not describe itself under its issuer address',
  'login.refused.not-described.remedy':
    'An administrator has to correct the address in the settings, Sign-in.',
  'login.refused.not-understood': 'The identity provider’s answer is not understood',
  'login.refused.not-understood.remedy': 'Try again. If it stays so, tell an administrator.',
  'login.refused.other-client': 'The identity provider’s answer is meant for somebody else',
  'login.refused.other-client.remedy':
    'An administrator has to check the client id in the settings, Sign-in.',
  'login.refused.other-issuer': 'The answer comes from another issuer than the one in the settings',
  'login.refused.other-issuer.remedy':
    'An administrator has to check the exact spelling of the issuer address.',
  'login.refused.other-sign-in': 'The identity provider’s answer belongs to another sign-in',
  'login.refused.other-sign-in.remedy': 'Begin again.',
  'login.refused.unreachable': 'The identity provider does not answer',
  'login.refused.unreachable.remedy': 'Try again later, or sign in with your password.',
  'login.refused.wrong-signature': 'The answer was not signed by the identity provider',
  'login.refused.wrong-signature.remedy': 'Nobody was signed in. Tell an administrator.',
  'login.signedIn': 'You are still signed in as {name}.',
  'login.signedIn.again': 'Sign out and in again',
  'login.signedIn.back': 'Back',
  'login.title': 'Sign in',
  'login.username': 'Username',
  'login.with': 'Continue with {name}',
  'password.hint': 'At least 12 characters. Several words make a good one.',
  'password.short': 'At least 12 characters.',
  'username.hint': 'Small letters, digits, dot, dash or underscore.',
} satisfies Reasons & Record<string, string>;
