// API tokens for programs. A new one is shown once.
import { Badge, Button, Code, Group, Modal, Select, Stack, Text, TextInput } from '@mantine/core';
import { IconKey, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { queryClient, tokensQuery } from '../api/queries';
import type { ApiTokenView, CreateApiToken, NewApiToken, Scope } from '../api/types';
import { t } from '../strings';
import { Empty, Loaded, PageBody, ProblemAlert, Section, Time } from '../ui/bits';
import { Confirm, NewSecret } from '../ui/dialogs';
import { useForm } from '../ui/useForm';

const refresh = () => queryClient.invalidateQueries({ queryKey: tokensQuery.queryKey });

export function TokenSettings() {
  const query = useQuery(tokensQuery);
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string | undefined>();
  const [asking, setAsking] = useState<{ token: ApiTokenView; action: 'rotate' | 'delete' } | undefined>();
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
      {t('tokens.new')}
    </Button>
  );
  return (
    <PageBody title={t('settings.tokens')} intro={t('tokens.intro')} action={add}>
      <Loaded query={query}>
        {(list) =>
          list.length === 0 ? (
            <Empty
              icon={<IconKey size={36} stroke={1.4} aria-hidden />}
              title={t('tokens.none')}
              hint={t('tokens.none.hint')}
              action={add}
            />
          ) : (
            <ul className="rows">
              {list.map((token) => (
                <li className="row" key={token.id}>
                  <div className="row-main">
                    <Group gap="xs">
                      <Text fw={600}>{token.name}</Text>
                      <Text className="mono" c="dimmed">
                        {token.hint}
                      </Text>
                      {token.scopes.map((scope) => (
                        <Badge key={scope} variant="default" size="sm" tt="none">
                          {t(`scope.${scope}`)}
                        </Badge>
                      ))}
                    </Group>
                    <Text size="sm" c="dimmed">
                      {t('tokens.used')} <Time at={token.last_used_at} fallback={t('common.never')} /> ·{' '}
                      {t('tokens.ends')} <Time at={token.expires_at} fallback={t('common.never')} />
                    </Text>
                  </div>
                  <Button size="xs" variant="default" onClick={() => setAsking({ token, action: 'rotate' })}>
                    {t('tokens.rotate')}
                  </Button>
                  <Button
                    size="xs"
                    variant="subtle"
                    color="red"
                    onClick={() => setAsking({ token, action: 'delete' })}
                  >
                    {t('common.delete')}
                  </Button>
                </li>
              ))}
            </ul>
          )
        }
      </Loaded>
      <Section title={t('tokens.use')} intro={t('tokens.use.hint')}>
        <Code block tabIndex={0}>{`curl ${location.origin}/v1/chat/completions \\
  -H 'Authorization: Bearer frk_api_…' -H 'Content-Type: application/json' \\
  -d '{"model": "inst_…", "messages": [{"role": "user", "content": "Hello"}]}'`}</Code>
      </Section>
      {creating && <Create onClose={() => setCreating(false)} onMade={setSecret} />}
      {secret && (
        <NewSecret
          title={t('tokens.made')}
          secret={secret}
          hint={t('secret.once')}
          onClose={() => setSecret(undefined)}
        />
      )}
      {asking && (
        <Confirm
          title={t(`tokens.${asking.action}.title`, { name: asking.token.name })}
          action={asking.action === 'rotate' ? t('tokens.rotate') : t('common.delete')}
          danger={asking.action === 'delete'}
          onClose={() => setAsking(undefined)}
          onConfirm={async () => {
            if (asking.action === 'delete') await api.delete(`/api/v1/tokens/${asking.token.id}`);
            else setSecret((await api.post<NewApiToken>(`/api/v1/tokens/${asking.token.id}/rotate`)).secret);
            await refresh();
          }}
        >
          {t(`tokens.${asking.action}.hint`)}
        </Confirm>
      )}
    </PageBody>
  );
}

function Create(props: { onClose: () => void; onMade: (secret: string) => void }) {
  const form = useForm({ name: '', scope: 'all', days: '90' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const body: CreateApiToken = {
      name: form.values.name.trim(),
      scopes: [form.values.scope as Scope],
      expires_in_days: Number(form.values.days),
    };
    const ok = await form.submit(async () => {
      props.onMade((await api.post<NewApiToken>('/api/v1/tokens', body)).secret);
      await refresh();
    });
    if (ok) props.onClose();
  };
  return (
    <Modal opened onClose={props.onClose} title={t('tokens.new')} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <ProblemAlert error={form.error} shown={form.shown} />
          <TextInput
            label={t('common.name')}
            description={t('tokens.name.hint')}
            maxLength={64}
            required
            data-autofocus
            {...form.text('name')}
          />
          <Select
            label={t('tokens.scope')}
            data={(['all', 'read', 'chat'] as const).map((scope) => ({
              value: scope,
              label: t(`scope.${scope}`),
            }))}
            value={form.values.scope}
            onChange={(value) => form.set('scope', value ?? 'all')}
            error={form.fields.scopes}
          />
          <Select
            label={t('tokens.expires')}
            data={['7', '30', '90', '365']
              .map((n) => ({ value: n, label: t('usage.days', { n }) }))
              .concat({ value: '0', label: t('common.never') })}
            value={form.values.days}
            onChange={(value) => form.set('days', value ?? '90')}
            error={form.fields.expires_in_days}
          />
          <Button type="submit" loading={form.busy}>
            {t('tokens.create')}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
