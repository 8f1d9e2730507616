// Signing in: password, and a button for each identity provider.
import { Alert, Button, Divider, Group, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconAlertTriangle, IconLogin2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link, Navigate, useNavigate, useSearchParams } from 'react-router';
import { api } from '../api/client';
import { meQuery, methodsQuery, onboardingQuery, queryClient } from '../api/queries';
import type { Me } from '../api/types';
import { forgetAddress, valueFromAddress } from '../app/fragment';
import { safePath, signOut } from '../app/session';
import { has, t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { useForm } from '../ui/useForm';
import { Gate } from './Gate';

export default function LoginPage() {
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const back = safePath(params.get('return_to'));
  const methods = useQuery(methodsQuery);
  const onboarding = useQuery(onboardingQuery);
  const form = useForm({ username: '', password: '' });
  const [code] = useState(() => valueFromAddress('error'));
  const [reason] = useState(() => valueFromAddress('reason'));
  if (onboarding.data && !onboarding.data.steps.breakglass) return <Navigate to="/setup" replace />;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await form.submit(async () => {
      const me = await api.post<Me>('/api/v1/auth/login', {
        username: form.values.username.trim().toLowerCase(),
        password: form.values.password,
      });
      queryClient.clear();
      queryClient.setQueryData(meQuery.queryKey, me);
      forgetAddress();
      navigate(back, { replace: true });
    });
  };

  return (
    <Gate title={t('login.title')}>
      <Stack>
        <Title order={1}>{t('login.title')}</Title>
        {code && !form.error && <Refused code={code} reason={reason} back={back} />}
        <ProblemAlert error={form.error} shown={form.shown} />
        {methods.data?.oidc.map((provider) => (
          <Button
            key={provider.id}
            component="a"
            href={`/api/v1/auth/oidc/${provider.id}/start?return_to=${encodeURIComponent(back)}`}
            variant="default"
            leftSection={<IconLogin2 size={18} />}
          >
            {t('login.with', { name: provider.name })}
          </Button>
        ))}
        {methods.data && methods.data.oidc.length > 0 && <Divider label={t('login.or')} />}
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <TextInput
              label={t('login.username')}
              autoComplete="username"
              autoCapitalize="none"
              spellCheck={false}
              required
              autoFocus
              {...form.text('username')}
            />
            <PasswordInput
              label={t('login.password')}
              autoComplete="current-password"
              required
              {...form.text('password')}
            />
            <Button type="submit" loading={form.busy}>
              {t('login.action')}
            </Button>
          </Stack>
        </form>
      </Stack>
    </Gate>
  );
}

/** Why an identity provider's sign-in did not come about. The address has codes only; one that is not known says no more than that it failed. */
function Refused({ code, reason, back }: { code: string; reason: string | null; back: string }) {
  // Who came back from linking is still signed in.
  const me = useQuery({ ...meQuery, retry: false }).data;
  const key = [`login.refused.${reason}`, `problem.${code}`].find(has) ?? 'problem.sign-in-failed';
  const remedy = `${key}.remedy`;
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle size={18} />} title={t(key)} role="alert">
      <Stack gap="xs">
        {has(remedy) && <Text size="sm">{t(remedy)}</Text>}
        {me && (
          <>
            <Text size="sm">{t('login.signedIn', { name: me.display_name })}</Text>
            <Group gap="xs">
              <Button size="xs" variant="default" component={Link} to={back}>
                {t('login.signedIn.back')}
              </Button>
              <Button size="xs" variant="default" onClick={() => void signOut(back)}>
                {t('login.signedIn.again')}
              </Button>
            </Group>
          </>
        )}
      </Stack>
    </Alert>
  );
}
