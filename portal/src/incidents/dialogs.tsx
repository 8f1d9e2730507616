// Saying that one looks after an incident, with a note for the others who see it.
import { Button, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { IconPencil, IconUserCheck } from '@tabler/icons-react';
import type { FormEvent } from 'react';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import { incidentQuery, queryClient } from '../api/queries';
import type { IncidentView } from '../api/types';
import { useMe } from '../app/session';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { given, useForm } from '../ui/useForm';
import { title } from './words';

function useIsMine(incident: IncidentView): boolean {
  const me = useMe();
  return me !== undefined && incident.acknowledged_by?.id === me.id;
}

/** Where several stand below each other, each says to whoever does not see the rest of the row what it is about. */
export function AcknowledgeButton(props: { incident: IncidentView; main?: boolean; onClick: () => void }) {
  const { incident, main = false } = props;
  const mine = useIsMine(incident);
  if (!incident.can_acknowledge) return null;
  const words = t(mine ? 'incident.acknowledge.change' : 'incident.acknowledge');
  return (
    <Button
      variant={main && !incident.acknowledged_at ? 'filled' : 'default'}
      size={main ? 'sm' : 'xs'}
      leftSection={mine ? <IconPencil size={16} /> : <IconUserCheck size={16} />}
      aria-label={main ? undefined : `${words}: ${title(incident)}`}
      onClick={props.onClick}
    >
      {words}
    </Button>
  );
}

export function Acknowledge({ incident, onClose }: { incident: IncidentView; onClose: () => void }) {
  const mine = useIsMine(incident);
  const form = useForm({ note: (mine && incident.note) || '' });
  // It ended meanwhile: there is nothing left to look after.
  const over = form.error !== null && asProblem(form.error).code === 'conflict';
  const close = () => {
    onClose();
    void queryClient.invalidateQueries({ queryKey: ['incidents'] });
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const went = await form.submit(async () => {
      const view = await api.post<IncidentView>(
        `/api/v1/incidents/${encodeURIComponent(incident.id)}/acknowledge`,
        { note: given(form.values.note) },
      );
      queryClient.setQueryData(incidentQuery(incident.id).queryKey, view);
    });
    if (went) close();
  };
  return (
    <Modal
      opened
      onClose={close}
      title={t(mine ? 'incident.acknowledge.change' : 'incident.acknowledge.title')}
      centered
    >
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm" component="div">
            <strong>{title(incident)}</strong>
            <br />
            {t('incident.acknowledge.hint')}
          </Text>
          <Textarea
            label={t('incident.acknowledge.note')}
            description={t('incident.acknowledge.note.hint')}
            maxLength={500}
            data-autofocus
            {...form.text('note')}
          />
          <ProblemAlert error={form.error} shown={form.shown} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={close}>
              {t(over ? 'common.close' : 'common.cancel')}
            </Button>
            {!over && (
              <Button type="submit" loading={form.busy}>
                {t(mine ? 'common.save' : 'incident.acknowledge')}
              </Button>
            )}
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
