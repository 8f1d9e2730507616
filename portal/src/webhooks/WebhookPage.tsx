// One webhook: how it stands and why, what may be done to it, and what became of its messages.
import './webhooks.css';
import { ActionIcon, Alert, Badge, Button, Group, Menu, Skeleton, Text, Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import {
  IconAlertTriangle,
  IconArrowLeft,
  IconDots,
  IconKey,
  IconPencil,
  IconPlayerPause,
  IconPlayerPlay,
  IconSend,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { api } from '../api/client';
import { queryClient, webhookQuery, webhooksQuery } from '../api/queries';
import type { NewWebhook, WebhookTest, WebhookView } from '../api/types';
import { can, useMe } from '../app/session';
import { t } from '../strings';
import { Copy, Id, NotFound, ProblemAlert, Time } from '../ui/bits';
import { Confirm, NewSecret } from '../ui/dialogs';
import { sentence } from '../ui/format';
import { Deliveries } from './Deliveries';
import { Editor } from './Editor';
import { Receive } from './Receive';
import { standing } from './state';
import { eventWords, State, Tested } from './words';

export default function WebhookPage() {
  const { id = '' } = useParams();
  const me = useMe();
  const may = can(me, 'webhook.view');
  const query = useQuery({ ...webhookQuery(id), enabled: may });
  const hook = query.data;
  useDocumentTitle(`${hook?.name ?? t('settings.webhooks')} · Fractal`);
  if (me && !may) return <NotFound />;
  return (
    <div className="page">
      <Button
        component={Link}
        to="/settings/webhooks"
        variant="subtle"
        color="gray"
        size="compact-sm"
        ml={-8}
        mb="xs"
        leftSection={<IconArrowLeft size={16} />}
      >
        {t('settings.webhooks')}
      </Button>
      {hook ? (
        <Body hook={hook} />
      ) : query.error ? (
        <ProblemAlert error={query.error} onRetry={() => void query.refetch()} />
      ) : (
        <Skeleton height={240} animate={false} aria-label={t('common.loading')} />
      )}
    </div>
  );
}

type Asking = 'pause' | 'rotate' | 'delete';

function Body({ hook }: { hook: WebhookView }) {
  const me = useMe();
  const navigate = useNavigate();
  const [editing, setEditing] = useState(false);
  const [asking, setAsking] = useState<Asking | undefined>();
  const [secret, setSecret] = useState<string | undefined>();
  const [test, setTest] = useState<WebhookTest | undefined>();
  const [busy, setBusy] = useState<'test' | 'resume' | undefined>();
  const [error, setError] = useState<unknown>(null);
  const path = `/api/v1/webhooks/${hook.id}`;
  const refresh = () => queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
  const mayChange = can(me, 'webhook.update');
  const mayDelete = can(me, 'webhook.delete');

  const attempt = async (what: typeof busy, work: () => Promise<unknown>) => {
    setBusy(what);
    setError(null);
    setTest(undefined);
    try {
      await work();
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy(undefined);
    }
  };
  const confirmed: Record<Asking, () => Promise<unknown>> = {
    pause: async () => {
      await api.patch(path, { enabled: false });
      await refresh();
    },
    rotate: async () => setSecret((await api.post<NewWebhook>(`${path}/rotate-secret`)).secret),
    delete: async () => {
      await api.delete(path);
      void navigate('/settings/webhooks', { replace: true });
      queryClient.removeQueries({ queryKey: ['webhooks', hook.id] });
      await refresh();
    },
  };
  const actions: Record<Asking, string> = {
    pause: t('webhook.pause'),
    rotate: t('webhook.rotate'),
    delete: t('common.delete'),
  };
  return (
    <>
      <Group justify="space-between" align="flex-start" gap="md">
        <div style={{ flex: 1, minWidth: 220 }}>
          <Title order={1}>{hook.name}</Title>
          <div className="hook-state">
            <State of={standing(hook)} />
          </div>
        </div>
        <Group gap="xs">
          {mayChange && (
            <>
              <Button
                variant="default"
                leftSection={<IconSend size={16} />}
                loading={busy === 'test'}
                onClick={() =>
                  void attempt('test', async () => setTest(await api.post<WebhookTest>(`${path}/test`)))
                }
              >
                {t('webhook.test')}
              </Button>
              <Button
                leftSection={<IconPencil size={16} />}
                variant="default"
                onClick={() => setEditing(true)}
              >
                {t('common.edit')}
              </Button>
              {!hook.enabled && (
                <Button
                  leftSection={<IconPlayerPlay size={16} />}
                  loading={busy === 'resume'}
                  onClick={() =>
                    void attempt('resume', async () => {
                      await api.patch(path, { enabled: true });
                      await refresh();
                    })
                  }
                >
                  {t('webhook.resume')}
                </Button>
              )}
            </>
          )}
          {(mayChange || mayDelete) && (
            <Menu position="bottom-end">
              <Menu.Target>
                <ActionIcon variant="default" size={36} aria-label={t('webhook.more')}>
                  <IconDots size={18} />
                </ActionIcon>
              </Menu.Target>
              <Menu.Dropdown>
                {mayChange && hook.enabled && (
                  <Menu.Item leftSection={<IconPlayerPause size={16} />} onClick={() => setAsking('pause')}>
                    {t('webhook.pause')}
                  </Menu.Item>
                )}
                {mayChange && (
                  <Menu.Item leftSection={<IconKey size={16} />} onClick={() => setAsking('rotate')}>
                    {t('webhook.rotate')}
                  </Menu.Item>
                )}
                {mayDelete && (
                  <Menu.Item
                    color="var(--failed)"
                    leftSection={<IconTrash size={16} />}
                    onClick={() => setAsking('delete')}
                  >
                    {t('common.delete')}
                  </Menu.Item>
                )}
              </Menu.Dropdown>
            </Menu>
          )}
        </Group>
      </Group>
      <div className="hook-notices">
        <ProblemAlert error={error} />
        {test && <Tested test={test} />}
        {hook.enabled && hook.last_error && (
          <Alert
            color="red"
            variant="light"
            icon={<IconAlertTriangle size={18} />}
            title={t('webhook.failing')}
          >
            <Text size="sm">{sentence(hook.last_error)}</Text>
          </Alert>
        )}
      </div>
      <dl className="facts">
        <dt>{t('webhook.url')}</dt>
        <dd>
          <span className="mono">{hook.url}</span> <Copy text={hook.url} size={14} />
          {hook.allow_private_network && (
            <Text size="sm" c="dimmed">
              {t('webhook.private')}
            </Text>
          )}
        </dd>
        <dt>{t('webhook.tells')}</dt>
        <dd>
          <Group gap={6}>
            {hook.events.map((event) => (
              <Badge key={event} variant="default" size="lg" radius="sm" fw={500} tt="none" title={event}>
                {eventWords(event)}
              </Badge>
            ))}
          </Group>
        </dd>
        <dt>{t('webhook.taken.head')}</dt>
        <dd>
          <Time at={hook.last_delivered_at} fallback={t('common.never')} />
        </dd>
        <dt>{t('common.id')}</dt>
        <dd>
          <Id id={hook.id} />
        </dd>
      </dl>
      <Deliveries hook={hook} />
      <Receive />
      {editing && <Editor webhook={hook} onClose={() => setEditing(false)} />}
      {asking && (
        <Confirm
          title={t(`webhook.${asking}.title`, { name: hook.name })}
          action={actions[asking]}
          danger={asking === 'delete'}
          onClose={() => setAsking(undefined)}
          onConfirm={confirmed[asking]}
        >
          {t(`webhook.${asking}.hint`)}
        </Confirm>
      )}
      {secret && (
        <NewSecret
          title={t('webhook.made', { name: hook.name })}
          secret={secret}
          hint={t('webhook.made.hint')}
          onClose={() => setSecret(undefined)}
        />
      )}
    </>
  );
}
