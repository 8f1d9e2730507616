// What stands over a page: questions before something that matters, and secrets that are shown once. A file of
// its own, so that the first load does without it.
import { Button, Code, Group, Modal, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Proposed } from '../api/problem';
import { t } from '../strings';
import { Copy, ProblemAlert } from './bits';

/** A secret that is shown this once. */
export function NewSecret(props: { title: string; secret: string; hint: string; onClose: () => void }) {
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered closeOnClickOutside={false}>
      <Stack>
        <Text size="sm">{props.hint}</Text>
        <Group wrap="nowrap" gap="xs">
          <Code
            block
            style={{ flex: 1, overflowWrap: 'anywhere', whiteSpace: 'pre-wrap' }}
            data-testid="secret"
          >
            {props.secret}
          </Code>
          <Copy text={props.secret} />
        </Group>
        <Group justify="flex-end">
          <Button onClick={props.onClose}>{t('common.saved')}</Button>
        </Group>
      </Stack>
    </Modal>
  );
}

/** Asks before something that matters: what will happen, to what, and whether it can be undone. */
export function Confirm(props: {
  title: string;
  children: ReactNode;
  action: string;
  /** What the button says that leaves everything as it is. */
  dismiss?: string | undefined;
  danger?: boolean;
  onConfirm: () => Promise<unknown>;
  onClose: () => void;
}) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const confirm = async () => {
    setBusy(true);
    setError(null);
    try {
      await props.onConfirm();
      props.onClose();
    } catch (caught) {
      // Nothing is left to confirm: others decide now.
      if (caught instanceof Proposed) return props.onClose();
      setError(caught);
      setBusy(false);
    }
  };
  return (
    <Modal opened onClose={props.onClose} title={props.title} centered>
      <Stack>
        <Text size="sm" component="div">
          {props.children}
        </Text>
        <ProblemAlert error={error} />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose}>
            {props.dismiss ?? t('common.cancel')}
          </Button>
          <Button color={props.danger ? 'red.8' : undefined} loading={busy} onClick={() => void confirm()}>
            {props.action}
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
