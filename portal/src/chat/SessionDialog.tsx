// Renaming and deleting a conversation.
import { Button, Modal, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import type { FormEvent } from 'react';
import { api } from '../api/client';
import { chatSessionsQuery } from '../api/queries';
import type { ChatSession } from '../api/types';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { Confirm } from '../ui/dialogs';
import { useForm } from '../ui/useForm';

interface Props {
  agent: string;
  session: ChatSession;
  dialog: 'rename' | 'delete';
  onClose: () => void;
  onDeleted: () => void;
}

export default function SessionDialog({ agent, session, dialog, onClose, onDeleted }: Props) {
  const client = useQueryClient();
  const path = `/api/v1/chat/sessions/${encodeURIComponent(session.key)}`;
  const options = { query: { agent_id: agent } };
  const refresh = () => client.invalidateQueries({ queryKey: chatSessionsQuery(agent).queryKey });
  if (dialog === 'rename') {
    return (
      <Rename
        title={session.title ?? ''}
        onClose={onClose}
        onSave={async (to) => {
          await api.patch(path, { title: to }, options);
          await refresh();
        }}
      />
    );
  }
  return (
    <Confirm
      title={t('chat.delete.title')}
      action={t('chat.delete.action')}
      danger
      onClose={onClose}
      onConfirm={async () => {
        await api.delete(path, options);
        client.removeQueries({ queryKey: ['history', agent, session.key] });
        onDeleted();
        await refresh();
      }}
    >
      {t('chat.delete.hint', { title: session.title || t('chat.untitled') })}
    </Confirm>
  );
}

function Rename(props: { title: string; onSave: (title: string) => Promise<void>; onClose: () => void }) {
  const form = useForm({ title: props.title });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await form.submit(() => props.onSave(form.values.title.trim()))) props.onClose();
  };
  return (
    <Modal opened onClose={props.onClose} title={t('chat.rename')} centered>
      <form onSubmit={(event) => void submit(event)}>
        <ProblemAlert error={form.error} shown={form.shown} />
        <TextInput label={t('common.name')} maxLength={64} data-autofocus {...form.text('title')} />
        <Button type="submit" mt="md" fullWidth loading={form.busy} disabled={!form.values.title.trim()}>
          {t('common.save')}
        </Button>
      </form>
    </Modal>
  );
}
