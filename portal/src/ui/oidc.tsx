// The fields of an OIDC identity provider: shared by the wizard and the settings.
import { PasswordInput, Switch, Text, TextInput } from '@mantine/core';
import type { CreateIdentityProvider } from '../api/types';
import { t } from '../strings';
import { redirectAddress } from './address';
import { Copy } from './bits';
import { privateWords } from './providers';
import { given, type useForm } from './useForm';

export interface OidcValues {
  name: string;
  issuer: string;
  client_id: string;
  client_secret: string;
  auto_provision: boolean;
  allow_private_network: boolean;
}

export const emptyOidc: OidcValues = {
  name: '',
  issuer: '',
  client_id: '',
  client_secret: '',
  auto_provision: false,
  allow_private_network: false,
};

export function oidcBody(values: OidcValues): CreateIdentityProvider {
  const secret = given(values.client_secret);
  return {
    name: values.name.trim(),
    issuer: values.issuer.trim(),
    client_id: values.client_id.trim(),
    ...(secret ? { client_secret: secret } : {}),
    auto_provision: values.auto_provision,
    allow_private_network: values.allow_private_network,
  };
}

export function OidcFields(props: {
  form: ReturnType<typeof useForm<OidcValues>>;
  prefix?: string;
  hasSecret?: boolean;
  /** As the server says it, where one knows it already. */
  redirectUri?: string | undefined;
}) {
  const { form, prefix } = props;
  const issuer = form.text('issuer', prefix);
  return (
    <>
      <TextInput
        label={t('common.name')}
        description={t('oidc.name.hint')}
        required
        {...form.text('name', prefix)}
      />
      <TextInput
        label={t('oidc.issuer')}
        description={t('oidc.issuer.hint')}
        type="url"
        spellCheck={false}
        required
        {...issuer}
        error={privateWords(issuer.error, 'oidc.private.refused')}
      />
      <TextInput
        label={t('oidc.clientId')}
        spellCheck={false}
        autoComplete="off"
        required
        {...form.text('client_id', prefix)}
      />
      <PasswordInput
        label={t('oidc.clientSecret')}
        description={props.hasSecret ? t('oidc.clientSecret.stored') : t('oidc.clientSecret.hint')}
        autoComplete="off"
        {...form.text('client_secret', prefix)}
      />
      <Redirect uri={props.redirectUri} />
      <Switch
        label={t('oidc.autoProvision')}
        description={t('oidc.autoProvision.hint')}
        checked={form.values.auto_provision}
        onChange={(event) => form.set('auto_provision', event.currentTarget.checked)}
      />
      <Switch
        label={t('provider.private')}
        description={t('provider.private.hint')}
        checked={form.values.allow_private_network}
        onChange={(event) => form.set('allow_private_network', event.currentTarget.checked)}
      />
    </>
  );
}

/** What has to be entered at the provider. Whole: it is compared there letter by letter. */
export function Redirect({ uri }: { uri?: string | undefined }) {
  const address = redirectAddress(uri);
  return (
    <Text size="sm" c="dimmed" component="div">
      {t('oidc.redirect')}{' '}
      <span className="mono" style={{ overflowWrap: 'anywhere' }}>
        {address}
      </span>{' '}
      <Copy text={address} size={14} />
    </Text>
  );
}
