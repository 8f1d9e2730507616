// Gives an agent another engine: which, what happens then, and that it is taken back where it does not work.
import { Button, Group, Modal, Select, Stack, Text } from '@mantine/core';
import type { FormEvent } from 'react';
import { useNavigate } from 'react-router';
import { api } from '../api/client';
import { operationQuery, queryClient } from '../api/queries';
import type { EngineView, InstanceView, OperationView } from '../api/types';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { useForm } from '../ui/useForm';

/** The engines that an agent could have instead of its own. */
export function otherEngines(engines: readonly EngineView[], instance: InstanceView): EngineView[] {
  return engines.filter((one) => one.state === 'installed' && one.id !== instance.engine_id);
}

export function ChangeEngine(props: {
  instance: InstanceView;
  /** Not empty. */
  engines: EngineView[];
  onClose: () => void;
}) {
  const { instance, engines } = props;
  const navigate = useNavigate();
  const form = useForm({ engine_id: engines[0]?.id ?? '' });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const went = await form.submit(async () => {
      const begun = await api.put<OperationView>(`/api/v1/instances/${instance.id}/engine`, form.values);
      queryClient.setQueryData(operationQuery(begun.id).queryKey, begun);
      void queryClient.invalidateQueries({ queryKey: ['operations'] });
      void queryClient.invalidateQueries({ queryKey: ['instance', instance.id] });
      navigate(`/operations/${begun.id}`);
    });
    if (went === 'waits') props.onClose();
  };
  return (
    <Modal
      opened
      onClose={props.onClose}
      title={t('instance.engine.title', { name: instance.name })}
      centered
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm">{t('instance.engine.hint')}</Text>
          <Select
            label={t('instance.engine.new')}
            description={t('instance.engine.present', { version: instance.engine_version })}
            data={engines.map((one) => ({ value: one.id, label: `OpenClaw ${one.version}` }))}
            value={form.values.engine_id}
            onChange={(value) => form.set('engine_id', value ?? '')}
            error={form.fields.engine_id}
            data-autofocus
          />
          <ProblemAlert error={form.error} shown={form.shown} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" loading={form.busy}>
              {t('instance.engine.change')}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
