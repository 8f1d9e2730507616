// One message of the history with what can be done to it.
import { ActionIcon, Alert, Group, Text, Tooltip } from '@mantine/core';
import {
  IconAlertTriangle,
  IconInfoCircle,
  IconPaperclip,
  IconPencil,
  IconPhoto,
  IconRefresh,
} from '@tabler/icons-react';
import { memo } from 'react';
import type { AttachmentNote, ChatMessage } from '../api/types';
import { t } from '../strings';
import { Copy, Time } from '../ui/bits';
import { exact, number } from '../ui/format';
import { Prose } from './Prose';
import { ToolFold } from './ToolFold';

interface Props {
  message: ChatMessage;
  onEdit: ((text: string) => void) | undefined;
  onRetry: (() => void) | undefined;
}

export const Message = memo(
  function Message({ message, onEdit, onRetry }: Props) {
    if (message.role === 'user') {
      return (
        <article className="message mine" aria-label={t('chat.you')}>
          {message.text && <UserText text={message.text} />}
          <Files files={message.attachments ?? []} />
          <Group gap={0} className="message-actions">
            {onEdit && (
              <Tooltip label={t('chat.edit')}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('chat.edit')}
                  onClick={() => {
                    onEdit(message.text);
                    document.getElementById('composer')?.focus();
                  }}
                >
                  <IconPencil size={18} />
                </ActionIcon>
              </Tooltip>
            )}
            <Copy text={message.text} label={t('chat.copyMessage')} />
            <Text size="xs" c="dimmed" ml={4}>
              <Time at={message.at} fallback="" />
            </Text>
          </Group>
        </article>
      );
    }
    return (
      <article className="message theirs" aria-label={t('chat.agent')}>
        {message.tools && message.tools.length > 0 && (
          <ToolFold
            tools={message.tools.map((tool) => ({
              id: tool.id,
              name: tool.name,
              phase: tool.failed ? 'failed' : 'done',
              asked: undefined,
              outcome: tool.summary ?? undefined,
            }))}
          />
        )}
        {message.text && <Prose text={message.text} />}
        {message.error && (
          <Alert color="red" icon={<IconAlertTriangle size={18} />} mt="xs">
            {message.error}
          </Alert>
        )}
        <Group gap={0} className="message-actions">
          <Copy text={message.text} label={t('chat.copyMessage')} />
          {onRetry && (
            <Tooltip label={t('chat.retry')}>
              <ActionIcon variant="subtle" color="gray" aria-label={t('chat.retry')} onClick={onRetry}>
                <IconRefresh size={18} />
              </ActionIcon>
            </Tooltip>
          )}
          <Details message={message} />
          <Text size="xs" c="dimmed" ml={4}>
            <Time at={message.at} fallback="" />
          </Text>
        </Group>
      </article>
    );
  },
  (a, b) => a.message === b.message && !a.onRetry === !b.onRetry,
);

export function UserText({ text }: { text: string }) {
  return <div className="bubble">{text}</div>;
}

/** Files that went with a message; what a transcript does not name is told by its kind. */
export function Files({ files }: { files: AttachmentNote[] }) {
  if (files.length === 0) return null;
  return (
    <Group gap={6} justify="flex-end">
      {files.map((file, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they have no other identity and never change their order
        <span className="file" key={i}>
          {file.mime_type.startsWith('image/') ? (
            <IconPhoto size={14} aria-hidden />
          ) : (
            <IconPaperclip size={14} aria-hidden />
          )}{' '}
          {file.name || (file.mime_type.startsWith('image/') ? t('chat.file.picture') : t('chat.file.file'))}
        </span>
      ))}
    </Group>
  );
}

/** Model and cost of a turn, on demand. */
function Details({ message }: { message: ChatMessage }) {
  const parts = [
    message.model && t('chat.model', { model: message.model }),
    message.usage &&
      t('chat.tokens', { in: number(message.usage.input_tokens), out: number(message.usage.output_tokens) }),
    message.at && exact(message.at),
  ].filter(Boolean);
  if (parts.length === 0) return null;
  return (
    <Tooltip label={parts.join(' · ')} multiline maw={320} events={{ hover: true, focus: true, touch: true }}>
      <ActionIcon variant="subtle" color="gray" aria-label={`${t('chat.details')}: ${parts.join(', ')}`}>
        <IconInfoCircle size={18} />
      </ActionIcon>
    </Tooltip>
  );
}
