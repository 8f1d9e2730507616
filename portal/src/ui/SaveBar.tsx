// The end of every settings form: save, and a quiet word that it was.
import { Button, Group, Text } from '@mantine/core';
import { t } from '../strings';

export function SaveBar({ busy, saved }: { busy: boolean; saved: boolean }) {
  return (
    <Group gap="md">
      <Button type="submit" loading={busy}>
        {t('common.save')}
      </Button>
      <Text size="sm" c="var(--good)" role="status">
        {saved && t('common.savedNow')}
      </Text>
    </Group>
  );
}
