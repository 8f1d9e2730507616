// Step one: who runs this. Needs the setup token that stands on the server's terminal.
import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { meQuery, queryClient } from '../api/queries';
import type { Me } from '../api/types';
import { secretFromAddress } from '../app/fragment';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { SHORTEST_PASSWORD } from '../ui/rules';
import { useForm } from '../ui/useForm';

export function ClaimStep({ onDone }: { onDone: () => Promise<void> }) {
  const [secret] = useState(() => secretFromAddress('frk_setup_'));
  const [askToken, setAskToken] = useState(!secret);
  const form = useForm({ token: secret, username: 'admin', password: '' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { token, username, password } = form.values;
    if (form.refuse({ password: password.length < SHORTEST_PASSWORD && t('password.short') })) return;
    const ok = await form.submit(async () => {
      try {
        const me = await api.post<Me>(
          '/api/onboarding/breakglass',
          { username: username.trim().toLowerCase(), password },
          { headers: { 'x-setup-token': token.trim().replace(/^.*#/, '') } },
        );
        queryClient.setQueryData(meQuery.queryKey, me);
      } catch (error) {
        // The link may be an old one: let the person enter the token that stands there now.
        setAskToken(true);
        throw error;
      }
    });
    if (ok) await onDone();
  };
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <div>
          <Title order={1}>{t('setup.claim.title')}</Title>
          <Text c="dimmed" size="sm" mt={4}>
            {t('setup.claim.hint')}
          </Text>
        </div>
        <ProblemAlert error={form.error} shown={form.shown} />
        {askToken && (
          <TextInput
            label={t('setup.token')}
            description={t('setup.token.hint')}
            autoComplete="off"
            spellCheck={false}
            required
            {...form.text('token')}
          />
        )}
        <TextInput
          label={t('login.username')}
          description={t('username.hint')}
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
          {...form.text('username')}
        />
        <PasswordInput
          label={t('login.password')}
          description={t('password.hint')}
          autoComplete="new-password"
          required
          autoFocus
          {...form.text('password')}
        />
        <Button type="submit" loading={form.busy}>
          {t('setup.claim.action')}
        </Button>
      </Stack>
    </form>
  );
}
