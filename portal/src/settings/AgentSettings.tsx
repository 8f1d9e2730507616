// How one's agent is, which model it uses and what it may do.
import { Alert, NumberInput, Radio, Stack, Switch, Textarea, TextInput } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Link } from 'react-router';
import { api } from '../api/client';
import { profileQuery, providersQuery, queryClient } from '../api/queries';
import type { ProfileView, ProviderView, ToolAccess, UpdateProfile } from '../api/types';
import { t } from '../strings';
import { Loaded, PageBody, ProblemAlert, Section } from '../ui/bits';
import { ModelSelect } from '../ui/ModelSelect';
import { SaveBar } from '../ui/SaveBar';
import { useForm } from '../ui/useForm';

const TOOLS: ToolAccess[] = ['none', 'ask', 'full'];

export function AgentSettings() {
  const profile = useQuery(profileQuery);
  const providers = useQuery(providersQuery);
  return (
    <PageBody title={t('settings.agent')} intro={t('agent.intro')}>
      <Loaded query={profile} rows={6}>
        {(view) => <Loaded query={providers}>{(list) => <Form profile={view} providers={list} />}</Loaded>}
      </Loaded>
    </PageBody>
  );
}

function Form({ profile, providers }: { profile: ProfileView; providers: ProviderView[] }) {
  const form = useForm({
    agent_name: profile.agent_name,
    persona: profile.persona,
    about_me: profile.about_me,
    provider_id: profile.provider_id ?? '',
    model: profile.model ?? '',
    tools: profile.tools,
    heartbeat_minutes: profile.heartbeat_minutes,
    cron_enabled: profile.cron_enabled,
    idle_timeout_minutes: profile.idle_timeout_minutes,
  });
  const [saved, setSaved] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { provider_id, model, ...rest } = form.values;
    const body: UpdateProfile = { ...rest, agent_name: rest.agent_name.trim() };
    if (provider_id) body.provider_id = provider_id;
    if (model.trim()) body.model = model.trim();
    setSaved(
      (await form.submit(async () => {
        queryClient.setQueryData(
          profileQuery.queryKey,
          await api.patch<ProfileView>('/api/v1/profile', body),
        );
      })) === 'done',
    );
  };
  return (
    <form onSubmit={(event) => void submit(event)} onChange={() => setSaved(false)}>
      <Stack gap="md">
        <ProblemAlert error={form.error} shown={form.shown} />
        <TextInput label={t('agent.name')} maxLength={64} required {...form.text('agent_name')} />
        <Textarea
          label={t('agent.persona')}
          description={t('agent.persona.hint')}
          minRows={4}
          maxLength={4000}
          {...form.text('persona')}
        />
        <Textarea
          label={t('agent.aboutMe')}
          description={t('agent.aboutMe.hint')}
          maxLength={4000}
          {...form.text('about_me')}
        />
      </Stack>
      <Section title={t('agent.model')}>
        {providers.length === 0 ? (
          <Alert variant="light" icon={<IconInfoCircle size={18} />}>
            {t('agent.noProvider')} <Link to="/settings/providers?new">{t('provider.add')}</Link>
          </Alert>
        ) : (
          <ModelSelect
            providers={providers}
            providerId={form.values.provider_id}
            model={form.values.model}
            onChange={(provider, model) => {
              form.set('provider_id', provider);
              form.set('model', model);
            }}
            error={form.fields.model ?? form.fields.provider_id}
          />
        )}
      </Section>
      <Section title={t('agent.tools')} intro={t('agent.tools.hint')}>
        <Radio.Group
          aria-label={t('agent.tools')}
          value={form.values.tools}
          onChange={(value) => form.set('tools', value as ToolAccess)}
        >
          <Stack gap="sm">
            {TOOLS.map((tool) => (
              <Radio
                key={tool}
                value={tool}
                label={t(`tools.${tool}`)}
                description={t(`tools.${tool}.hint`)}
              />
            ))}
          </Stack>
        </Radio.Group>
      </Section>
      <Section title={t('agent.rhythm')}>
        <Stack gap="md" mb="lg">
          <Switch
            label={t('agent.cron')}
            description={t('agent.cron.hint')}
            checked={form.values.cron_enabled}
            onChange={(event) => form.set('cron_enabled', event.currentTarget.checked)}
          />
          <NumberInput
            label={t('agent.heartbeat')}
            description={t('agent.heartbeat.hint')}
            min={0}
            max={10080}
            allowDecimal={false}
            maw={320}
            value={form.values.heartbeat_minutes}
            onChange={(value) => form.set('heartbeat_minutes', Number(value))}
            error={form.fields.heartbeat_minutes}
          />
          <NumberInput
            label={t('agent.idle')}
            description={t('agent.idle.hint')}
            min={1}
            max={10080}
            allowDecimal={false}
            maw={320}
            value={form.values.idle_timeout_minutes}
            onChange={(value) => form.set('idle_timeout_minutes', Number(value))}
            error={form.fields.idle_timeout_minutes}
          />
        </Stack>
        <SaveBar busy={form.busy} saved={saved} />
      </Section>
    </form>
  );
}
