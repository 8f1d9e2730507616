// What stands over a proposal: saying yes or no to it, and what a change answered, which is there once.
import { Button, Code, Group, Modal, Stack, Text, Textarea } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import type { FormEvent } from 'react';
import { api } from '../api/client';
import { asProblem } from '../api/problem';
import type { ProposalView } from '../api/types';
import { t } from '../strings';
import { Copy, ProblemAlert } from '../ui/bits';
import { given, useForm } from '../ui/useForm';
import { what } from './words';

export type Verdict = 'approve' | 'reject';

export function Verdicts(props: {
  verdict: Verdict;
  /** As it was on the screen when the dialog was opened: this is what an approval is bound to. */
  proposal: ProposalView;
  onSaid: (view: ProposalView) => void;
  /** It is another than it was, or is decided already. */
  onConflict: (error: unknown) => void;
  onClose: () => void;
}) {
  const { verdict, proposal } = props;
  const form = useForm({ comment: '' });
  const comment = form.values.comment.trim();
  const rejects = verdict === 'reject';
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (form.refuse({ comment: rejects && comment === '' && t('proposal.reject.missing') })) return;
    const path = `/api/v1/proposals/${proposal.id}`;
    const went = await form.submit(async () => {
      try {
        props.onSaid(
          rejects
            ? await api.post<ProposalView>(`${path}/reject`, { comment })
            : await api.post<ProposalView>(`${path}/approve`, {
                digest: proposal.digest,
                comment: given(comment),
              }),
        );
      } catch (error) {
        if (asProblem(error).code !== 'conflict') throw error;
        props.onConflict(error);
      }
    });
    if (went) props.onClose();
  };
  return (
    <Modal opened onClose={props.onClose} title={t(`proposal.${verdict}.title`)} centered>
      <form onSubmit={(event) => void submit(event)}>
        <Stack>
          <Text size="sm" component="div">
            <strong>{what(proposal)}</strong>
            <br />
            {t(`proposal.${verdict}.hint`)}
          </Text>
          <Textarea
            label={t(rejects ? 'proposal.reject.why' : 'proposal.approve.why')}
            maxLength={500}
            required={rejects}
            data-autofocus
            {...form.text('comment')}
          />
          <ProblemAlert error={form.error} shown={form.shown} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={props.onClose}>
              {t('common.cancel')}
            </Button>
            <Button type="submit" color={rejects ? 'red.8' : undefined} loading={form.busy}>
              {t(`proposal.${verdict}`)}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** A new secret by itself, where the answer has one: it is what people came for. */
function secretOf(answer: Record<string, unknown>): string | undefined {
  const { secret } = answer;
  if (typeof secret !== 'string') return undefined;
  // Invitations are answered as paths.
  return secret.startsWith('/') ? location.origin + secret : secret;
}

export function Answer({ answer, onClose }: { answer: Record<string, unknown>; onClose: () => void }) {
  const secret = secretOf(answer);
  const text = JSON.stringify(answer, null, 2);
  const shown = secret ?? text;
  return (
    <Modal
      opened
      onClose={onClose}
      title={t('proposal.answer')}
      centered
      closeOnClickOutside={false}
      closeOnEscape={false}
      size="lg"
    >
      <Stack>
        <div className="proposal-once">
          <IconAlertTriangle size={18} aria-hidden />
          <Text size="sm">{t('proposal.answer.once')}</Text>
        </div>
        <Group wrap="nowrap" gap="xs" align="flex-start">
          <Code block className="proposal-answer" data-testid="secret" tabIndex={0}>
            {shown}
          </Code>
          <Copy text={shown} />
        </Group>
        {secret && (
          <details className="proposal-whole">
            <summary>{t('proposal.answer.whole')}</summary>
            <Code block className="proposal-answer" tabIndex={0}>
              {text}
            </Code>
          </details>
        )}
        <Group justify="flex-end">
          <Button onClick={onClose}>{t('common.saved')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}
