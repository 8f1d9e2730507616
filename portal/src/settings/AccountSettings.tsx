// One's own name, password and identities.
import { Badge, Button, Group, PasswordInput, Stack, Text, TextInput } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { meQuery, methodsQuery, queryClient } from '../api/queries';
import type { Me, SignInProvider } from '../api/types';
import { signOut } from '../app/session';
import { t } from '../strings';
import { Loaded, PageBody, ProblemAlert, Section } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { SHORTEST_PASSWORD } from '../ui/rules';
import { SaveBar } from '../ui/SaveBar';
import { useForm } from '../ui/useForm';
import { Appearance } from './Appearance';

export function AccountSettings() {
  const query = useQuery(meQuery);
  return (
    <PageBody title={t('settings.account')} intro={t('account.intro')}>
      <Loaded query={query}>
        {(me) => (
          <>
            <Name me={me} />
            <Password me={me} />
            <Identities me={me} />
            <Appearance me={me} />
          </>
        )}
      </Loaded>
    </PageBody>
  );
}

function Name({ me }: { me: Me }) {
  const form = useForm({ display_name: me.display_name });
  const [saved, setSaved] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setSaved(
      (await form.submit(async () => {
        const view = await api.patch<Me>('/api/v1/me', { display_name: form.values.display_name.trim() });
        queryClient.setQueryData(meQuery.queryKey, view);
      })) === 'done',
    );
  };
  return (
    <form onSubmit={(event) => void submit(event)} onChange={() => setSaved(false)}>
      <Stack maw={440}>
        <Text size="sm" c="dimmed">
          {t('account.signedInAs', { name: me.username, role: t(`role.${me.role}`) })}
        </Text>
        <ProblemAlert error={form.error} shown={form.shown} />
        <TextInput
          label={t('login.displayName')}
          maxLength={64}
          required
          autoComplete="name"
          {...form.text('display_name')}
        />
        <SaveBar busy={form.busy} saved={saved} />
      </Stack>
    </form>
  );
}

function Password({ me }: { me: Me }) {
  const form = useForm({ current_password: '', new_password: '' });
  const [saved, setSaved] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { current_password, new_password } = form.values;
    if (form.refuse({ new_password: new_password.length < SHORTEST_PASSWORD && t('password.short') })) return;
    const ok = await form.submit(() =>
      api.patch('/api/v1/me', me.has_password ? { current_password, new_password } : { new_password }),
    );
    setSaved(ok === 'done');
    if (ok === 'done') {
      form.setValues({ current_password: '', new_password: '' });
      void queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
    }
  };
  // A first password is only taken from a browser that signed in a moment ago.
  const stale = !me.has_password && form.error !== null && asProblem(form.error).code === 'forbidden';
  return (
    <Section
      title={t('account.password')}
      intro={t(me.has_password ? 'account.password.change' : 'account.password.none')}
    >
      <form
        aria-label={t('account.password')}
        onSubmit={(event) => void submit(event)}
        onChange={() => setSaved(false)}
      >
        <Stack maw={440}>
          <ProblemAlert error={form.error} shown={form.shown} />
          {stale && (
            <div>
              <Button variant="default" onClick={() => void signOut('/settings/account')}>
                {t('account.signInAgain')}
              </Button>
            </div>
          )}
          <input type="hidden" name="username" autoComplete="username" value={me.username} readOnly />
          {me.has_password && (
            <PasswordInput
              label={t('account.password.current')}
              autoComplete="current-password"
              required
              {...form.text('current_password')}
            />
          )}
          <PasswordInput
            label={t('account.password.new')}
            description={t('password.hint')}
            autoComplete="new-password"
            required
            {...form.text('new_password')}
          />
          <SaveBar busy={form.busy} saved={saved} />
        </Stack>
      </form>
    </Section>
  );
}

/** The identity providers: which lead to this account, and linking one that does not yet. */
function Identities({ me }: { me: Me }) {
  const methods = useQuery(methodsQuery);
  const [leaving, setLeaving] = useState<SignInProvider>();
  const providers = methods.data?.oidc ?? [];
  if (providers.length === 0) return null;
  const unlinked = providers.some((one) => !me.identity_providers?.includes(one.id));
  return (
    <Section title={t('account.identities')} intro={t('account.identities.hint')}>
      <Stack gap="sm" maw={440}>
        {providers.map((one) => {
          const start = `/api/v1/auth/oidc/${one.id}/start?return_to=/settings/account`;
          return me.identity_providers?.includes(one.id) ? (
            <Group key={one.id} justify="space-between">
              <Text size="sm">{one.name}</Text>
              <Group gap="xs">
                <Badge variant="default" size="sm" tt="none">
                  {t('account.identities.linked')}
                </Badge>
                <Button
                  variant="subtle"
                  color="gray"
                  size="compact-sm"
                  aria-label={t('account.identities.unlink', { name: one.name })}
                  onClick={() => setLeaving(one)}
                >
                  {t('account.identities.unlink.action')}
                </Button>
              </Group>
            </Group>
          ) : (
            // Without a secure context the browser does not say that the way began here, and it would be an ordinary sign-in,
            // perhaps as somebody new.
            isSecureContext && (
              <div key={one.id}>
                <Button component="a" href={start} variant="default" leftSection={<IconLogin2 size={18} />}>
                  {t('account.identities.link', { name: one.name })}
                </Button>
              </div>
            )
          );
        })}
        {unlinked && (
          <Text size="sm" c="dimmed">
            {t(isSecureContext ? 'account.identities.soon' : 'account.identities.insecure')}
          </Text>
        )}
      </Stack>
      {leaving && (
        <Confirm
          title={t('account.identities.unlink.title', { name: leaving.name })}
          action={t('account.identities.unlink.action')}
          danger
          onClose={() => setLeaving(undefined)}
          onConfirm={async () => {
            await api.delete(`/api/v1/me/identity-providers/${leaving.id}`);
            await queryClient.invalidateQueries({ queryKey: meQuery.queryKey });
          }}
        >
          {t('account.identities.unlink.hint')}
        </Confirm>
      )}
    </Section>
  );
}
