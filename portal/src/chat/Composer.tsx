// Where one writes. Enter sends, Shift+Enter breaks the line; files come by button, paste or drop.
import { ActionIcon, Text, Textarea, Tooltip } from '@mantine/core';
import { IconArrowUp, IconPaperclip, IconPlayerStopFilled, IconX } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import type { Attachment } from '../api/types';
import { t } from '../strings';
import { ACCEPT, MOST_FILES, type Refusal, readFile } from './files';
import { type Run, stop } from './runs';

interface Props {
  draft: string;
  onDraft: (text: string) => void;
  onSend: (text: string, attachments: Attachment[]) => void;
  run: Run | undefined;
  agentName: string;
  asleep: boolean;
}

export function Composer({ draft, onDraft, onSend, run, agentName, asleep }: Props) {
  const [files, setFiles] = useState<Attachment[]>([]);
  const [refused, setRefused] = useState<Refusal[]>([]);
  const [over, setOver] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const running = run?.turn.state === 'running';

  // On a phone the keyboard would cover the conversation at once.
  useEffect(() => {
    if (matchMedia('(pointer: fine)').matches) input.current?.focus();
  }, []);

  const add = async (list: Iterable<File>) => {
    const results = await Promise.all(Array.from(list, readFile));
    const good = results.flatMap((one) => ('content' in one ? [one] : []));
    setRefused(results.flatMap((one) => ('content' in one ? [] : [one])));
    setFiles((before) => [...before, ...good].slice(0, MOST_FILES));
  };

  const send = () => {
    const text = draft.trim();
    if (running || (!text && files.length === 0)) return;
    onSend(text || t('composer.filesOnly'), files);
    setFiles([]);
    setRefused([]);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes, Enter belongs to it.
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      send();
    }
  };

  return (
    <section
      className="composer"
      data-over={over || undefined}
      aria-label={t('composer.label')}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void add(event.dataTransfer.files);
      }}
    >
      <div className="composer-box">
        {(files.length > 0 || refused.length > 0) && (
          <div className="files">
            {files.map((file, i) => (
              <span className="file" key={`${file.name} ${file.content.length}`}>
                {file.mime_type.startsWith('image/') && (
                  <img src={`data:${file.mime_type};base64,${file.content}`} alt="" />
                )}
                {file.name}
                <ActionIcon
                  size="xs"
                  data-size="xs"
                  variant="subtle"
                  color="gray"
                  aria-label={t('composer.remove', { name: file.name })}
                  onClick={() => setFiles(files.filter((_, at) => at !== i))}
                >
                  <IconX size={14} />
                </ActionIcon>
              </span>
            ))}
            {refused.map((one) => (
              <Text key={one.name} size="xs" c="var(--failed)" role="alert">
                {t(one.reason, { name: one.name })}
              </Text>
            ))}
          </div>
        )}
        <Textarea
          id="composer"
          ref={input}
          variant="unstyled"
          minRows={1}
          maxRows={10}
          value={draft}
          maxLength={200_000}
          onChange={(event) => onDraft(event.currentTarget.value)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            if (event.clipboardData.files.length > 0) {
              event.preventDefault();
              void add(event.clipboardData.files);
            }
          }}
          placeholder={
            asleep
              ? t('composer.asleep', { agent: agentName })
              : t('composer.placeholder', { agent: agentName })
          }
          aria-label={t('composer.label')}
        />
        <div className="composer-tools">
          <Tooltip label={t('composer.attach')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              size={36}
              radius="xl"
              aria-label={t('composer.attach')}
              onClick={() => picker.current?.click()}
            >
              <IconPaperclip size={20} />
            </ActionIcon>
          </Tooltip>
          <input
            ref={picker}
            type="file"
            multiple
            hidden
            accept={ACCEPT}
            aria-label={t('composer.attach')}
            onChange={(event) => {
              void add(event.currentTarget.files ?? []);
              event.currentTarget.value = '';
            }}
          />
          <Text size="xs" c="dimmed" className="only-wide composer-hint">
            {t('composer.keys')}
          </Text>
          {running && run ? (
            <Tooltip label={t('composer.stop')}>
              <ActionIcon
                variant="filled"
                color="gray.8"
                size={36}
                radius="xl"
                aria-label={t('composer.stop')}
                disabled={run.stopping}
                onClick={() => void stop(run)}
              >
                <IconPlayerStopFilled size={16} />
              </ActionIcon>
            </Tooltip>
          ) : (
            <Tooltip label={t('composer.send')}>
              <ActionIcon
                variant="filled"
                size={36}
                radius="xl"
                aria-label={t('composer.send')}
                disabled={!draft.trim() && files.length === 0}
                onClick={send}
              >
                <IconArrowUp size={20} />
              </ActionIcon>
            </Tooltip>
          )}
        </div>
      </div>
    </section>
  );
}
