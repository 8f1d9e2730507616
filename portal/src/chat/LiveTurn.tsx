// The turn that is going on: what happens, the words as they come, and whatever waits for the person.
import { Alert, Button, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { Link } from 'react-router';
import type { AttachmentNote } from '../api/types';
import { faultWords, t } from '../strings';
import { sentence } from '../ui/format';
import { Approval, Question } from './Asks';
import { Files, UserText } from './Message';
import { GrowingProse } from './Prose';
import type { Run } from './runs';
import { StartAgent } from './StartAgent';
import { ToolFold } from './ToolFold';
import { TurnStatus } from './TurnStatus';

interface Props {
  run: Run;
  agentName: string;
  /** What was asked, while the history does not have it. */
  question: { text: string; files: AttachmentNote[] } | undefined;
  /** The agent was stopped by a person, and messages do not wake it. */
  stopped: boolean;
  onRetry: (() => void) | undefined;
  onDismiss: () => void;
}

const PROVIDER_CODES = ['not_configured', 'key_missing', 'key_refused', 'quota_exceeded', 'model_unknown'];

export function LiveTurn({ run, agentName, question, stopped, onRetry, onDismiss }: Props) {
  const { turn } = run;
  const error = turn.error;
  const fault = error?.provider && faultWords(error.provider);
  const remedy = stopped ? t('chat.stopped.remedy') : (fault?.remedy ?? error?.remedy);
  const isProvider =
    !!error?.provider || PROVIDER_CODES.includes(error?.code ?? '') || error?.code === 'provider-failed';
  return (
    <>
      {question && (
        <article className="message mine" aria-label={t('chat.you')}>
          <UserText text={question.text} />
          <Files files={question.files} />
        </article>
      )}
      <article className="message theirs" aria-label={agentName} aria-busy={turn.state === 'running'}>
        {turn.tools.length > 0 && <ToolFold tools={turn.tools} />}
        {turn.text && <GrowingProse text={turn.text} />}
        {turn.approvals.map((approval) => (
          <Approval
            key={approval.id}
            runId={turn.runId ?? ''}
            approval={approval}
            over={turn.state !== 'running'}
          />
        ))}
        {turn.questions.map((question) => (
          <Question
            key={question.id}
            runId={turn.runId ?? ''}
            question={question}
            over={turn.state !== 'running'}
          />
        ))}
        {turn.state === 'running' && <TurnStatus run={run} agentName={agentName} />}
        {error && (
          <Alert
            color="red"
            variant="light"
            icon={<IconAlertTriangle size={18} />}
            title={t('chat.failed')}
            role="alert"
          >
            <Text size="sm">{sentence(fault?.message ?? error.message)}</Text>
            {remedy && (
              <Text size="sm" mt={4}>
                {sentence(remedy)}
              </Text>
            )}
            <Group gap="xs" mt="sm">
              {stopped && <StartAgent id={run.agent} />}
              {onRetry && !stopped && (
                <Button size="xs" onClick={onRetry}>
                  {t('common.tryAgain')}
                </Button>
              )}
              {isProvider && (
                <Button size="xs" variant="default" component={Link} to="/settings/providers">
                  {t('chat.openProviders')}
                </Button>
              )}
              <Button size="xs" variant="subtle" color="gray" onClick={onDismiss}>
                {t('common.dismiss')}
              </Button>
            </Group>
          </Alert>
        )}
      </article>
    </>
  );
}
