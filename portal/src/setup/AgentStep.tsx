// Step four: the first agent. Ends in the chat with a first message prepared.
import { Button, Chip, Group, Stack, Text, Textarea, TextInput, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useEffect } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { enginesQuery, instancesQuery, onboardingQuery, providersQuery, queryClient } from '../api/queries';
import type { InstanceView, OnboardingAgentResult, OnboardingStatus, Page } from '../api/types';
import { newDraftKey, writeDraft } from '../chat/drafts';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { InstallProgress } from '../ui/InstallProgress';
import { ModelSelect } from '../ui/ModelSelect';
import { given, useForm } from '../ui/useForm';

const PERSONAS = ['friendly', 'brief', 'curious'] as const;

export function AgentStep({ onLeave, agentExists }: { onLeave: () => void; agentExists: boolean }) {
  const navigate = useNavigate();
  const providers = useQuery(providersQuery);
  // Whoever sets up an installation is its owner, and may see engines.
  const engine = useQuery(enginesQuery).data?.find((one) => one.state === 'installing');
  const form = useForm({ name: t('setup.agent.defaultName'), persona: '', model: '', provider_id: '' });
  const { set } = form;
  const list = providers.data;
  useEffect(() => {
    // The newest provider is the one that was just set up; one that answers goes before one that does not.
    const best = list?.find((one) => one.ok !== false) ?? list?.[0];
    if (best) {
      set('provider_id', best.id);
      set('model', best.models[0] ?? '');
    }
  }, [list, set]);

  const finish = async () => {
    const status = await api.post<OnboardingStatus>('/api/onboarding/complete', {});
    const instances = await api.get<Page<InstanceView>>('/api/v1/instances');
    onLeave();
    queryClient.setQueryData(onboardingQuery.queryKey, status);
    queryClient.setQueryData(instancesQuery().queryKey, instances.items);
    return instances.items[0]?.id;
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await form.submit(async () => {
      let id: string | undefined;
      if (!agentExists) {
        const { name, persona, model, provider_id } = form.values;
        const made = await api.post<OnboardingAgentResult>('/api/onboarding/agent', {
          name: name.trim(),
          persona: given(persona),
          model: model.trim(),
          provider_id: given(provider_id),
        });
        id = made.instance_id;
      }
      const first = await finish();
      const agent = id ?? first;
      if (agent) writeDraft(newDraftKey(agent), t('setup.firstMessage'));
      navigate(agent ? `/?agent=${agent}` : '/', { replace: true });
    });
  };
  if (agentExists) {
    return (
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Title order={1}>{t('setup.ready.title')}</Title>
          <Text c="dimmed" size="sm">
            {t('setup.ready.hint')}
          </Text>
          <ProblemAlert error={form.error} />
          <Button type="submit" loading={form.busy}>
            {t('setup.agent.action')}
          </Button>
        </Stack>
      </form>
    );
  }
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <div>
          <Title order={1}>{t('setup.agent.title')}</Title>
          <Text c="dimmed" size="sm" mt={4}>
            {t('setup.agent.hint')}
          </Text>
        </div>
        <ProblemAlert error={form.error} shown={form.shown} />
        <ProblemAlert error={providers.error} onRetry={() => void providers.refetch()} />
        <TextInput label={t('agent.name')} required maxLength={64} {...form.text('name')} />
        <div>
          <Textarea
            label={t('agent.persona')}
            description={t('agent.persona.hint')}
            maxLength={4000}
            {...form.text('persona')}
          />
          <Chip.Group
            multiple={false}
            value={form.values.persona}
            onChange={(value) => form.set('persona', String(value))}
          >
            <Group gap="xs" mt="xs">
              {PERSONAS.map((id) => (
                <Chip key={id} value={t(`persona.${id}.text`)} size="sm" variant="outline">
                  {t(`persona.${id}`)}
                </Chip>
              ))}
            </Group>
          </Chip.Group>
        </div>
        <ModelSelect
          providers={list ?? []}
          providerId={form.values.provider_id}
          model={form.values.model}
          onChange={(provider, model) => {
            form.set('provider_id', provider);
            form.set('model', model);
          }}
          error={form.fields.model}
        />
        {engine?.progress && <InstallProgress progress={engine.progress} />}
        <Button type="submit" loading={form.busy}>
          {t('setup.agent.action')}
        </Button>
      </Stack>
    </form>
  );
}
