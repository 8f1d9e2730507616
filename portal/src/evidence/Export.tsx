// Taking the log away: a file that verifies without this server.
import { Button, Menu, Text } from '@mantine/core';
import { IconChevronDown, IconDownload } from '@tabler/icons-react';
import { t } from '../strings';

const KINDS = [
  { key: 'export.values', href: '/api/v1/evidence/export?values=true' },
  { key: 'export.plain', href: '/api/v1/evidence/export' },
] as const;

export function Export() {
  return (
    <Menu position="bottom-end" width={320}>
      <Menu.Target>
        <Button
          variant="default"
          leftSection={<IconDownload size={16} />}
          rightSection={<IconChevronDown size={14} />}
        >
          {t('export.action')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {KINDS.map(({ key, href }) => (
          // The browser fetches it itself: a log may be larger than what a page should hold.
          <Menu.Item key={key} component="a" href={href} download="evidence.jsonl">
            <Text size="sm" fw={600}>
              {t(key)}
            </Text>
            <Text size="xs" c="dimmed">
              {t(`${key}.hint`)}
            </Text>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
