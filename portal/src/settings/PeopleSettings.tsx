// People and invitations, for administrators. Nobody here sees anybody's chats or keys.
import { Badge, Button, Menu, Modal, PasswordInput, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconChevronDown, IconUserPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { invitationsQuery, queryClient, usersQuery } from '../api/queries';
import type {
  CreateInvitation,
  ErasedView,
  InvitationView,
  NewInvitation,
  Role,
  UserView,
} from '../api/types';
import { can, useMe } from '../app/session';
import { t, tn } from '../strings';
import { Loaded, PageBody, ProblemAlert, Section, Time } from '../ui/bits';
import { Confirm, NewSecret } from '../ui/dialogs';
import { SHORTEST_PASSWORD } from '../ui/rules';
import { given, useForm } from '../ui/useForm';

type Asking = { user: UserView; action: 'deactivate' | 'delete' | 'erase' | 'password' };

const refresh = () => queryClient.invalidateQueries({ queryKey: usersQuery.queryKey });

export function PeopleSettings() {
  const me = useMe();
  const users = useQuery(usersQuery);
  const invitations = useQuery(invitationsQuery);
  const [inviting, setInviting] = useState(false);
  const [secret, setSecret] = useState<string | undefined>();
  const [asking, setAsking] = useState<Asking | undefined>();
  const [revoking, setRevoking] = useState<InvitationView | undefined>();
  const [error, setError] = useState<unknown>(null);
  const [erased, setErased] = useState<number | undefined>();

  const change = async (user: UserView, body: { role?: Role; active?: boolean }) => {
    setError(null);
    try {
      await api.patch(`/api/v1/users/${user.id}`, body);
      await refresh();
    } catch (caught) {
      setError(caught);
    }
  };
  return (
    <PageBody
      title={t('settings.people')}
      intro={t('people.intro')}
      action={
        <Button leftSection={<IconUserPlus size={16} />} onClick={() => setInviting(true)}>
          {t('people.invite')}
        </Button>
      }
    >
      <ProblemAlert error={error} />
      <Text size="sm" c="var(--good)" role="status">
        {erased !== undefined && tn('people.erase.done', erased)}
      </Text>
      <Loaded query={users}>
        {(list) => (
          <ul className="rows">
            {list.map((user) => (
              <li className="row" key={user.id}>
                <div className="row-main">
                  <Text fw={600} component="div">
                    {user.display_name || user.username}{' '}
                    <Badge variant="default" size="sm" tt="none">
                      {t(`role.${user.role}`)}
                    </Badge>{' '}
                    {!user.active && (
                      <Badge variant="default" size="sm" tt="none">
                        {t('people.inactive')}
                      </Badge>
                    )}
                  </Text>
                  <Text size="sm" c="dimmed">
                    {user.username} · {tn('people.agents', user.instances)} · {t('people.seen')}{' '}
                    <Time at={user.last_seen_at} fallback={t('common.never')} />
                    {user.breakglass && ` · ${t('people.breakglass')}`}
                  </Text>
                </div>
                {user.id !== me?.id && (
                  <Menu position="bottom-end">
                    <Menu.Target>
                      <Button
                        size="xs"
                        variant="default"
                        rightSection={<IconChevronDown size={14} />}
                        aria-label={`${t('common.edit')}: ${user.username}`}
                      >
                        {t('common.edit')}
                      </Button>
                    </Menu.Target>
                    <Menu.Dropdown>
                      <Menu.Label>{t('people.role')}</Menu.Label>
                      {(['member', 'auditor', 'admin', 'owner'] as const).map((role) => (
                        <Menu.Item
                          key={role}
                          disabled={role === user.role}
                          onClick={() => void change(user, { role })}
                        >
                          {t(`role.${role}`)}
                        </Menu.Item>
                      ))}
                      <Menu.Divider />
                      <Menu.Item onClick={() => setAsking({ user, action: 'password' })}>
                        {t('people.resetPassword')}
                      </Menu.Item>
                      {user.active ? (
                        <Menu.Item onClick={() => setAsking({ user, action: 'deactivate' })}>
                          {t('people.deactivate')}
                        </Menu.Item>
                      ) : (
                        <Menu.Item onClick={() => void change(user, { active: true })}>
                          {t('people.activate')}
                        </Menu.Item>
                      )}
                      {can(me, 'user.erase') && (
                        <Menu.Item color="var(--failed)" onClick={() => setAsking({ user, action: 'erase' })}>
                          {t('people.erase')}
                        </Menu.Item>
                      )}
                      <Menu.Item color="var(--failed)" onClick={() => setAsking({ user, action: 'delete' })}>
                        {t('common.delete')}
                      </Menu.Item>
                    </Menu.Dropdown>
                  </Menu>
                )}
              </li>
            ))}
          </ul>
        )}
      </Loaded>
      <Section title={t('people.invitations')} intro={t('people.invitations.hint')}>
        <Loaded query={invitations} rows={1}>
          {(list) => {
            const open = list.filter((one) => !one.used_at);
            if (open.length === 0) {
              return (
                <Text size="sm" c="dimmed">
                  {t('people.noInvitations')}
                </Text>
              );
            }
            return (
              <ul className="rows">
                {open.map((one) => (
                  <li className="row" key={one.id}>
                    <div className="row-main">
                      <Text fw={600}>{one.username ?? t('people.anybody')}</Text>
                      <Text size="sm" c="dimmed">
                        {t(`role.${one.role}`)} · {t('tokens.ends')} <Time at={one.expires_at} />
                      </Text>
                    </div>
                    <Button size="xs" variant="default" onClick={() => setRevoking(one)}>
                      {t('people.revoke')}
                    </Button>
                  </li>
                ))}
              </ul>
            );
          }}
        </Loaded>
      </Section>
      {inviting && <Invite onClose={() => setInviting(false)} onMade={setSecret} />}
      {secret && (
        <NewSecret
          title={t('people.invited')}
          secret={secret.startsWith('http') ? secret : location.origin + secret}
          hint={t('people.invited.hint')}
          onClose={() => setSecret(undefined)}
        />
      )}
      {revoking && (
        <Confirm
          title={t('people.revoke.title')}
          action={t('people.revoke')}
          danger
          onClose={() => setRevoking(undefined)}
          onConfirm={async () => {
            await api.delete(`/api/v1/invitations/${revoking.id}`);
            await queryClient.invalidateQueries({ queryKey: invitationsQuery.queryKey });
          }}
        >
          {t('people.revoke.hint')}
        </Confirm>
      )}
      {asking?.action === 'password' && (
        <ResetPassword user={asking.user} onClose={() => setAsking(undefined)} />
      )}
      {asking?.action === 'erase' && (
        <Confirm
          title={t('people.erase.title', { name: asking.user.username })}
          action={t('people.erase.action')}
          danger
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            const gone = await api.post<ErasedView>(`/api/v1/users/${asking.user.id}/erase`);
            setErased(gone.values);
          }}
        >
          {t('people.erase.hint')}
        </Confirm>
      )}
      {(asking?.action === 'delete' || asking?.action === 'deactivate') && (
        <Confirm
          title={t(`people.${asking.action}.title`, { name: asking.user.username })}
          action={asking.action === 'delete' ? t('common.delete') : t('people.deactivate')}
          danger
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            if (asking.action === 'delete') await api.delete(`/api/v1/users/${asking.user.id}`);
            else await api.patch(`/api/v1/users/${asking.user.id}`, { active: false });
            await refresh();
          }}
        >
          {t(`people.${asking.action}.hint`)}
        </Confirm>
      )}
    </PageBody>
  );
}

function Invite(props: { onClose: () => void; onMade: (secret: string) => void }) {
  const form = useForm({ username: '', role: 'member', days: '7' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const username = given(form.values.username.toLowerCase());
    const body: CreateInvitation = {
      role: form.values.role as Role,
      expires_in_days: Number(form.values.days),
      ...(username ? { username } : {}),
    };
    const ok = await form.submit(async () => {
      props.onMade((await api.post<NewInvitation>('/api/v1/invitations', body)).secret);
      await queryClient.invalidateQueries({ queryKey: invitationsQuery.queryKey });
    });
    if (ok) props.onClose();
  };
  return (
    <Modal opened onClose={props.onClose} title={t('people.invite')} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <ProblemAlert error={form.error} shown={form.shown} />
          <TextInput
            label={t('login.username')}
            description={t('people.invite.username')}
            autoCapitalize="none"
            data-autofocus
            {...form.text('username')}
          />
          <Select
            label={t('people.role')}
            data={(['member', 'auditor', 'admin', 'owner'] as const).map((role) => ({
              value: role,
              label: t(`role.${role}`),
            }))}
            value={form.values.role}
            onChange={(value) => form.set('role', value ?? 'member')}
            error={form.fields.role}
          />
          <Select
            label={t('tokens.expires')}
            data={['1', '7', '30'].map((n) => ({ value: n, label: t('usage.days', { n }) }))}
            value={form.values.days}
            onChange={(value) => form.set('days', value ?? '7')}
          />
          <Button type="submit" loading={form.busy}>
            {t('people.invite.action')}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}

function ResetPassword({ user, onClose }: { user: UserView; onClose: () => void }) {
  const form = useForm({ password: '' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { password } = form.values;
    if (form.refuse({ password: password.length < SHORTEST_PASSWORD && t('password.short') })) return;
    if (await form.submit(() => api.post(`/api/v1/users/${user.id}/reset-password`, { password }))) onClose();
  };
  return (
    <Modal opened onClose={onClose} title={t('people.resetPassword.title', { name: user.username })} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm">{t('people.resetPassword.hint')}</Text>
          <ProblemAlert error={form.error} shown={form.shown} />
          <PasswordInput
            label={t('account.password.new')}
            description={t('password.hint')}
            autoComplete="new-password"
            required
            data-autofocus
            {...form.text('password')}
          />
          <Button type="submit" loading={form.busy}>
            {t('common.save')}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
