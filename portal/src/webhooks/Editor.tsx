// The drawer in which a webhook is made or changed. What is refused stands beside its field.
import {
  Button,
  Drawer,
  Group,
  Input,
  MultiSelect,
  SegmentedControl,
  Stack,
  Switch,
  TextInput,
} from '@mantine/core';
import { type FormEvent, useId } from 'react';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { queryClient, webhooksQuery } from '../api/queries';
import type { CreateWebhook, NewWebhook, UpdateWebhook, WebhookView } from '../api/types';
import { ACTIONS } from '../evidence/words';
import { t, tWord } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { sentence } from '../ui/format';
import { useForm } from '../ui/useForm';
import { eventWords } from './words';

/** The menu of actions, by kind; what is chosen already but unknown here keeps a place in it. */
function choices(chosen: readonly string[]) {
  const groups = Object.entries(ACTIONS).map(([kind, verbs]) => ({
    group: tWord('kind', kind),
    items: [...(verbs.length > 1 ? [''] : []), ...verbs].map((verb) => ({
      value: `${kind}.${verb}`,
      label: eventWords(`${kind}.${verb}`),
    })),
  }));
  const known = new Set(groups.flatMap((group) => group.items.map((one) => one.value)));
  const others = chosen
    .filter((one) => !known.has(one))
    .map((value) => ({ value, label: eventWords(value) }));
  return others.length > 0 ? [...groups, { group: '…', items: others }] : groups;
}

export function Editor(props: {
  webhook?: WebhookView;
  onMade?: (made: NewWebhook) => void;
  onClose: () => void;
}) {
  const { webhook } = props;
  const everything = webhook?.events.includes('*') ?? true;
  const form = useForm({
    name: webhook?.name ?? '',
    url: webhook?.url ?? '',
    all: everything,
    events: everything ? [] : [...(webhook?.events ?? [])],
    allow_private_network: webhook?.allow_private_network ?? false,
  });
  const { values } = form;
  const label = useId();
  const problem = form.error ? asProblem(form.error) : undefined;
  const taken = problem?.code === 'already-exists' ? problem.detail : undefined;
  // The server names the place in the list; it is one input here.
  const refused = Object.entries(form.fields).filter(([field]) => field.startsWith('events'));
  const name = form.text('name');

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (form.refuse({ events: !values.all && values.events.length === 0 && t('webhook.events.missing') }))
      return;
    const body = {
      name: values.name.trim(),
      url: values.url.trim(),
      events: values.all ? ['*'] : values.events,
      allow_private_network: values.allow_private_network,
    } satisfies CreateWebhook & UpdateWebhook;
    let made: NewWebhook | undefined;
    const ok = await form.submit(async () => {
      if (webhook) await api.patch<WebhookView>(`/api/v1/webhooks/${webhook.id}`, body);
      else made = await api.post<NewWebhook>('/api/v1/webhooks', body);
      await queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
    });
    if (!ok) return;
    // Closed before the secret is shown: closing goes to the list, and would take whoever went on from the secret back.
    props.onClose();
    if (made) props.onMade?.(made);
  };
  return (
    <Drawer
      opened
      onClose={props.onClose}
      position="right"
      size="lg"
      title={webhook ? t('webhook.edit') : t('webhook.add')}
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <TextInput
            label={t('common.name')}
            description={t('webhook.name.hint')}
            maxLength={64}
            required
            data-autofocus
            {...name}
            error={name.error ?? (taken && sentence(taken))}
          />
          <TextInput
            label={t('webhook.url')}
            description={t('webhook.url.hint')}
            type="url"
            inputMode="url"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={2048}
            required
            {...form.text('url')}
          />
          <Switch
            label={t('webhook.private')}
            description={t('webhook.private.hint')}
            checked={values.allow_private_network}
            onChange={(event) => form.set('allow_private_network', event.currentTarget.checked)}
          />
          <div>
            <Input.Label id={label} labelElement="div" mb={4}>
              {t('webhook.events')}
            </Input.Label>
            <SegmentedControl
              fullWidth
              aria-labelledby={label}
              value={values.all ? 'all' : 'chosen'}
              onChange={(value) => form.set('all', value === 'all')}
              data={[
                { value: 'all', label: t('webhook.events.all') },
                { value: 'chosen', label: t('webhook.events.chosen') },
              ]}
            />
            {!values.all && (
              <MultiSelect
                mt="xs"
                aria-labelledby={label}
                placeholder={values.events.length === 0 ? t('webhook.events.choose') : ''}
                data={choices(values.events)}
                value={values.events}
                onChange={(events) => form.set('events', events)}
                error={form.text('events').error ?? refused[0]?.[1]}
                maxValues={50}
                maxDropdownHeight={320}
                nothingFoundMessage={t('palette.nothing')}
                hidePickedOptions
                searchable
              />
            )}
          </div>
          {!taken && (
            <ProblemAlert error={form.error} shown={[...form.shown, ...refused.map(([field]) => field)]} />
          )}
          <Group justify="flex-end">
            <Button variant="default" onClick={props.onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={form.busy}>
              {webhook ? t('common.save') : t('webhook.add')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Drawer>
  );
}
