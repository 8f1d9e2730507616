// What an agent asks its person in the middle of a turn: may I do this, and which of these.
import { Button, Group, Text, TextInput } from '@mantine/core';
import { IconCheck, IconHelpCircle, IconShieldQuestion, IconX } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import type { ApprovalDecision } from '../api/types';
import { t, tWord } from '../strings';
import { ProblemAlert, Time } from '../ui/bits';
import type { LiveApproval, LiveQuestion } from './turn';

export function Approval({
  runId,
  approval,
  over,
}: {
  runId: string;
  approval: LiveApproval;
  over: boolean;
}) {
  const [sent, setSent] = useState<ApprovalDecision | undefined>();
  const [error, setError] = useState<unknown>(null);
  const decision = approval.decision ?? sent;
  const decide = async (word: ApprovalDecision) => {
    setSent(word);
    setError(null);
    try {
      await api.post(`/api/v1/chat/runs/${runId}/approvals/${encodeURIComponent(approval.id)}`, {
        decision: word,
      });
    } catch (caught) {
      setSent(undefined);
      setError(caught);
    }
  };
  if (decision) {
    const denied = decision === 'deny';
    return (
      <div className="ask" data-answered>
        {denied ? (
          <IconX size={16} color="var(--failed)" aria-hidden />
        ) : (
          <IconCheck size={16} color="var(--good)" aria-hidden />
        )}
        <span>{tWord('approval', decision)}</span>
        <code className="ask-command">{approval.command}</code>
      </div>
    );
  }
  return (
    <section className="ask" aria-label={t('approval.title')}>
      <Group gap={8} mb={8}>
        <IconShieldQuestion size={18} color="var(--attention)" aria-hidden />
        <Text fw={600} size="sm" role="alert">
          {over ? t('approval.lapsed') : t('approval.title')}
        </Text>
      </Group>
      <pre className="ask-command">{approval.command}</pre>
      <ProblemAlert error={error} />
      {!over && (
        <Group gap="xs" mt={12}>
          <Button size="xs" onClick={() => void decide('allow_once')}>
            {t('approval.allowOnce')}
          </Button>
          <Button size="xs" variant="default" onClick={() => void decide('allow_always')}>
            {t('approval.allowAlways')}
          </Button>
          <Button size="xs" variant="light" color="red" onClick={() => void decide('deny')}>
            {t('approval.refuse')}
          </Button>
          {approval.expiresAt && (
            <Text size="xs" c="dimmed">
              {t('approval.lapses')} <Time at={approval.expiresAt} />
            </Text>
          )}
        </Group>
      )}
    </section>
  );
}

export function Question({
  runId,
  question,
  over,
}: {
  runId: string;
  question: LiveQuestion;
  over: boolean;
}) {
  const [answer, setAnswer] = useState('');
  const [sent, setSent] = useState<string | undefined>();
  const [error, setError] = useState<unknown>(null);
  const say = async (text: string) => {
    if (!text.trim()) return;
    setSent(text);
    setError(null);
    try {
      await api.post(`/api/v1/chat/runs/${runId}/questions/${encodeURIComponent(question.id)}`, {
        answer: text,
      });
    } catch (caught) {
      setSent(undefined);
      setError(caught);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void say(answer);
  };
  if (sent !== undefined || question.answered) {
    return (
      <div className="ask" data-answered>
        <IconCheck size={16} color="var(--good)" aria-hidden />
        <span>{question.text}</span>
        {sent && <strong>{sent}</strong>}
      </div>
    );
  }
  return (
    <section className="ask" aria-label={t('question.title')}>
      <Group gap={8} mb={8} wrap="nowrap" align="flex-start">
        <IconHelpCircle size={18} color="var(--working)" aria-hidden style={{ flex: 'none' }} />
        <Text fw={600} size="sm" role="alert">
          {question.text}
        </Text>
      </Group>
      <ProblemAlert error={error} />
      {!over && (
        <>
          {question.options.length > 0 && (
            <Group gap="xs" mb={12}>
              {question.options.map((option) => (
                <Button key={option} size="xs" variant="default" onClick={() => void say(option)}>
                  {option}
                </Button>
              ))}
            </Group>
          )}
          <form onSubmit={submit}>
            <Group gap="xs" wrap="nowrap">
              <TextInput
                style={{ flex: 1 }}
                value={answer}
                maxLength={20000}
                onChange={(event) => setAnswer(event.currentTarget.value)}
                placeholder={t('question.own')}
                aria-label={t('question.own')}
              />
              <Button size="sm" type="submit" disabled={!answer.trim()}>
                {t('question.answer')}
              </Button>
            </Group>
          </form>
        </>
      )}
    </section>
  );
}
