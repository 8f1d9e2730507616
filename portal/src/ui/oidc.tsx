// The fields of an OIDC identity provider: shared by the wizard and the settings.
import { Code, PasswordInput, Switch, Text, TextInput } from '@mantine/core';
import type { CreateIdentityProvider } from '../api/types';
import { t } from '../strings';
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
}) {
  const { form, prefix } = props;
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
        {...form.text('issuer', prefix)}
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
      <Text size="sm" c="dimmed">
        {t('oidc.redirect')} <Code>{`${location.origin}/api/v1/auth/oidc/callback`}</Code>
      </Text>
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
