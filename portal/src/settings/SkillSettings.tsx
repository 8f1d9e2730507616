// What one's agent can do with its skills, what they lack, and the variables stored for them. No value comes back.
import { Anchor, Button, Group, Modal, Select, Stack, Text, Textarea, TextInput } from '@mantine/core';
import { IconMoon, IconPlus, IconPuzzle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { instancesQuery, queryClient, skillCredentialsQuery, skillsQuery } from '../api/queries';
import type { SetSkillCredential, SkillCredentialView, SkillState, SkillView } from '../api/types';
import { t } from '../strings';
import { Empty, Loaded, PageBody, ProblemAlert, Section, Time } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { useForm } from '../ui/useForm';

const TONE: Record<SkillState, string> = {
  active: 'good',
  needs_credentials: 'attention',
  not_available: 'quiet',
  inactive: 'quiet',
};

async function refresh() {
  await queryClient.invalidateQueries({ queryKey: skillCredentialsQuery.queryKey });
  await queryClient.invalidateQueries({ queryKey: ['skills'] });
}

interface Wanted {
  skill: string;
  name: string;
}

export function SkillSettings() {
  const stored = useQuery(skillCredentialsQuery);
  const [storing, setStoring] = useState<Wanted | undefined>();
  const [removing, setRemoving] = useState<SkillCredentialView | undefined>();
  const add = (
    <Button leftSection={<IconPlus size={16} />} onClick={() => setStoring({ skill: '', name: '' })}>
      {t('skills.store')}
    </Button>
  );
  return (
    <PageBody title={t('settings.skills')} intro={t('skills.intro')} action={add}>
      <Section title={t('skills.stored')} intro={t('skills.stored.hint')}>
        <Loaded query={stored}>
          {(list) =>
            list.length === 0 ? (
              <Text size="sm" c="dimmed">
                {t('skills.stored.none')}
              </Text>
            ) : (
              <ul className="rows">
                {list.map((one) => (
                  <li className="row" key={one.id}>
                    <div className="row-main">
                      <Group gap="xs">
                        <Text fw={600} className="mono">
                          {one.name}
                        </Text>
                        <Text className="mono" c="dimmed">
                          {one.hint}
                        </Text>
                      </Group>
                      <Text size="sm" c="dimmed">
                        {one.skill} · <Time at={one.updated_at} />
                      </Text>
                    </div>
                    <Button
                      size="xs"
                      variant="default"
                      aria-label={`${t('skills.replace')} ${one.name}`}
                      onClick={() => setStoring({ skill: one.skill, name: one.name })}
                    >
                      {t('skills.replace')}
                    </Button>
                    <Button
                      size="xs"
                      variant="subtle"
                      color="red"
                      aria-label={`${t('common.delete')} ${one.name}`}
                      onClick={() => setRemoving(one)}
                    >
                      {t('common.delete')}
                    </Button>
                  </li>
                ))}
              </ul>
            )
          }
        </Loaded>
      </Section>
      <Skills stored={stored.data ?? []} onStore={setStoring} />
      {storing && <Store wanted={storing} onClose={() => setStoring(undefined)} />}
      {removing && (
        <Confirm
          title={t('skills.delete.title', { name: removing.name })}
          action={t('common.delete')}
          danger
          onClose={() => setRemoving(undefined)}
          onConfirm={async () => {
            await api.delete(`/api/v1/skill-credentials/${encodeURIComponent(removing.id)}`);
            await refresh();
          }}
        >
          {t('skills.delete.hint')}
        </Confirm>
      )}
    </PageBody>
  );
}

function Skills(props: { stored: SkillCredentialView[]; onStore: (wanted: Wanted) => void }) {
  const agents = useQuery(instancesQuery());
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <Section title={t('skills.list')}>
      <Loaded query={agents}>
        {(list) => {
          const agent = list.find((one) => one.id === chosen) ?? list[0];
          if (!agent) return <Empty title={t('skills.noAgent')} />;
          return (
            <Stack gap="md">
              {list.length > 1 && (
                <Select
                  label={t('skills.agent')}
                  data={list.map((one) => ({ value: one.id, label: one.name }))}
                  value={agent.id}
                  onChange={setChosen}
                  allowDeselect={false}
                />
              )}
              <OfAgent key={agent.id} agent={agent.id} {...props} />
            </Stack>
          );
        }}
      </Loaded>
    </Section>
  );
}

function OfAgent(props: { agent: string; stored: SkillCredentialView[]; onStore: (wanted: Wanted) => void }) {
  const [wake, setWake] = useState(false);
  const query = useQuery(skillsQuery(props.agent, wake, props.stored));
  if (query.error && asProblem(query.error).status === 409 && !wake)
    return (
      <Empty
        icon={<IconMoon size={36} stroke={1.4} aria-hidden />}
        title={t('skills.asleep')}
        hint={t('skills.asleep.hint')}
        action={
          <Button variant="default" onClick={() => setWake(true)}>
            {t('skills.wake')}
          </Button>
        }
      />
    );
  return (
    <Loaded query={query} rows={6}>
      {(list) =>
        list.length === 0 ? (
          <Empty icon={<IconPuzzle size={36} stroke={1.4} aria-hidden />} title={t('skills.none')} />
        ) : (
          <ul className="rows">
            {list.map((skill) => (
              <Skill key={skill.key} skill={skill} onStore={props.onStore} />
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}

function Skill({ skill, onStore }: { skill: SkillView; onStore: (wanted: Wanted) => void }) {
  const { env, bins, any_bins, config, os } = skill.missing;
  const lacks = [
    env.length > 0 && t('skills.lacks.env', { names: env.join(', ') }),
    bins.length > 0 && t('skills.lacks.bins', { names: bins.join(', ') }),
    any_bins.length > 0 && t('skills.lacks.anyBins', { names: any_bins.join(', ') }),
    config.length > 0 && t('skills.lacks.config', { names: config.join(', ') }),
    os.length > 0 && t('skills.lacks.os', { names: os.join(', ') }),
  ].filter(Boolean);
  const next = env[0] ?? skill.variables[0];
  return (
    <li className="row">
      <div className="row-main">
        <Group gap="xs">
          <Text fw={600}>
            {skill.emoji && <span aria-hidden>{skill.emoji} </span>}
            {skill.name}
          </Text>
          <span className="state" data-tone={TONE[skill.state]}>
            {t(`skillState.${skill.state}`)}
          </span>
          {skill.homepage && (
            <Anchor size="sm" href={skill.homepage} target="_blank" rel="noreferrer noopener">
              {t('skills.more')}
              <span className="visually-hidden"> {skill.name}</span>
            </Anchor>
          )}
        </Group>
        <Text size="sm" c="dimmed">
          {skill.description}
        </Text>
        {lacks.length > 0 && <Text size="sm">{lacks.join(' · ')}</Text>}
      </div>
      {next && (
        <Button
          size="xs"
          variant="default"
          aria-label={`${t('skills.store')} ${skill.name}`}
          onClick={() => onStore({ skill: skill.key, name: next })}
        >
          {t('skills.store')}
        </Button>
      )}
    </li>
  );
}

function Store({ wanted, onClose }: { wanted: Wanted; onClose: () => void }) {
  const form = useForm({ ...wanted, value: '' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const body: SetSkillCredential = {
      skill: form.values.skill.trim(),
      name: form.values.name.trim(),
      value: form.values.value,
    };
    const ok = await form.submit(async () => {
      await api.put<SkillCredentialView>('/api/v1/skill-credentials', body);
      await refresh();
    });
    if (ok) onClose();
  };
  return (
    <Modal opened onClose={onClose} title={t('skills.store')} centered>
      <form onSubmit={(event) => void submit(event)} autoComplete="off">
        <Stack>
          <ProblemAlert error={form.error} shown={form.shown} />
          <TextInput label={t('skills.skill')} maxLength={64} required {...form.text('skill')} />
          <TextInput
            label={t('skills.variable')}
            description={t('skills.variable.hint')}
            maxLength={128}
            required
            spellCheck={false}
            {...form.text('name')}
          />
          <Textarea
            label={t('skills.value')}
            description={t('skills.value.hint')}
            maxLength={8192}
            rows={3}
            required
            spellCheck={false}
            autoComplete="off"
            classNames={{ input: 'covered' }}
            data-autofocus={wanted.name ? true : undefined}
            {...form.text('value')}
          />
          <Button type="submit" loading={form.busy}>
            {t('common.save')}
          </Button>
        </Stack>
      </form>
    </Modal>
  );
}
