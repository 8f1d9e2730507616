// Accepting an invitation: choose a name and a password, and be inside.
import { Button, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { meQuery, queryClient } from '../api/queries';
import type { Me } from '../api/types';
import { secretFromAddress } from '../app/fragment';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { SHORTEST_PASSWORD } from '../ui/rules';
import { given, useForm } from '../ui/useForm';
import { Gate } from './Gate';

export default function InvitationPage() {
  const navigate = useNavigate();
  const [secret] = useState(() => secretFromAddress('frk_invite_'));
  const form = useForm({ token: secret, username: '', display_name: '', password: '' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { token, username, display_name, password } = form.values;
    if (form.refuse({ password: password.length < SHORTEST_PASSWORD && t('password.short') })) return;
    await form.submit(async () => {
      const me = await api.post<Me>(
        '/api/v1/invitations/accept',
        { username: username.trim().toLowerCase(), display_name: given(display_name), password },
        { headers: { 'x-invitation-token': token.trim().replace(/^.*#/, '') } },
      );
      queryClient.clear();
      queryClient.setQueryData(meQuery.queryKey, me);
      navigate('/', { replace: true });
    });
  };
  return (
    <Gate title={t('invitation.title')}>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <div>
            <Title order={1}>{t('invitation.title')}</Title>
            <Text c="dimmed" size="sm" mt={4}>
              {t('invitation.hint')}
            </Text>
          </div>
          <ProblemAlert error={form.error} shown={form.shown} />
          {!secret && (
            <TextInput
              label={t('invitation.token')}
              description={t('invitation.token.hint')}
              autoComplete="off"
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
          <TextInput label={t('login.displayName')} autoComplete="name" {...form.text('display_name')} />
          <PasswordInput
            label={t('login.password')}
            description={t('password.hint')}
            autoComplete="new-password"
            required
            {...form.text('password')}
          />
          <Button type="submit" loading={form.busy}>
            {t('invitation.action')}
          </Button>
        </Stack>
      </form>
    </Gate>
  );
}
