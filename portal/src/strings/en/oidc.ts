// Identity providers.
export const oidc = {
  'oidc.add': 'Add identity provider',
  'oidc.autoProvision': 'Unknown people get an account',
  'oidc.autoProvision.hint': 'As members. Otherwise only people who were invited can sign in.',
  'oidc.clientId': 'Client id',
  'oidc.clientSecret': 'Client secret',
  'oidc.clientSecret.hint': 'Leave empty for a public client.',
  'oidc.clientSecret.stored': 'One is stored. Enter a new one to replace it.',
  'oidc.delete.hint':
    'People can no longer sign in with it. Accounts stay; people without a password need an invitation or a new password.',
  'oidc.delete.title': 'Delete {name}?',
  'oidc.disabled': 'Off',
  'oidc.enabled': 'People may sign in with it',
  'oidc.intro':
    'Let people sign in with the accounts they have. Password sign-in of the first administrator always works.',
  'oidc.issuer': 'Issuer address',
  'oidc.issuer.hint': 'For example https://login.example.org',
  'oidc.name.hint': 'As it stands on the sign-in button.',
  'oidc.none': 'Only passwords so far',
  'oidc.none.hint': 'Add an OpenID Connect provider such as Keycloak, Authentik, Entra or Google.',
  'oidc.private.refused':
    'Its address is in a private network or not encrypted, which is not permitted yet. Use https, or turn on “{setting}”.',
  'oidc.private.remedy':
    'Check it. If the identity provider is meant to be there, edit it and turn on “{setting}”.',
  'oidc.redirect': 'Redirect address to register there:',
};
