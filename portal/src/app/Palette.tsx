// The command palette (Ctrl-K): pages, agents, conversations and the things one does often.
import '@mantine/spotlight/styles.css';
import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { createSpotlight, Spotlight, type SpotlightActionGroupData } from '@mantine/spotlight';
import {
  IconActivityHeartbeat,
  IconInbox,
  IconListCheck,
  IconLogout,
  IconMessage,
  IconMoon,
  IconPlus,
  IconRoute,
  IconSearch,
  IconServer,
  IconSun,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo } from 'react';
import { useNavigate } from 'react-router';
import { chatSessionsQuery } from '../api/queries';
import type { Me } from '../api/types';
import { t } from '../strings';
import { settingsOf } from './SettingsNav';
import { can, signOut, useAgent } from './session';

const [store, spotlight] = createSpotlight();

export default function Palette({ me, onClose }: { me: Me | undefined; onClose: () => void }) {
  const navigate = useNavigate();
  const { agent, agents } = useAgent();
  const { setColorScheme } = useMantineColorScheme();
  // What is seen, also where the system decides.
  const colorScheme = useComputedColorScheme();
  // What is known already: the palette never wakes an agent.
  const sessions = useQuery({ ...chatSessionsQuery(agent?.id ?? ''), enabled: false });
  useEffect(() => spotlight.open(), []);

  const groups = useMemo<SpotlightActionGroupData[]>(
    () => [
      {
        group: t('palette.actions'),
        actions: [
          {
            id: 'new',
            label: t('chat.new'),
            leftSection: <IconPlus size={18} />,
            onClick: () => navigate('/'),
          },
          {
            id: 'scheme',
            label: colorScheme === 'dark' ? t('palette.light') : t('palette.dark'),
            leftSection: colorScheme === 'dark' ? <IconSun size={18} /> : <IconMoon size={18} />,
            onClick: () => setColorScheme(colorScheme === 'dark' ? 'light' : 'dark'),
          },
          {
            id: 'out',
            label: t('account.signOut'),
            leftSection: <IconLogout size={18} />,
            onClick: () => void signOut(),
          },
        ],
      },
      {
        group: t('frame.pages'),
        actions: [
          {
            id: 'page-agents',
            label: t('nav.agents'),
            leftSection: <IconServer size={18} />,
            onClick: () => navigate('/instances'),
          },
          {
            id: 'page-proposals',
            label: t('nav.proposals'),
            leftSection: <IconInbox size={18} />,
            onClick: () => navigate('/proposals'),
          },
          {
            id: 'page-operations',
            label: t('nav.operations'),
            leftSection: <IconRoute size={18} />,
            onClick: () => navigate('/operations'),
          },
          ...(can(me, 'incident.view')
            ? [
                {
                  id: 'page-incidents',
                  label: t('nav.incidents'),
                  leftSection: <IconActivityHeartbeat size={18} />,
                  onClick: () => navigate('/incidents'),
                },
              ]
            : []),
          ...(can(me, 'evidence.view')
            ? [
                {
                  id: 'page-evidence',
                  label: t('nav.evidence'),
                  leftSection: <IconListCheck size={18} />,
                  onClick: () => navigate('/evidence'),
                },
              ]
            : []),
        ],
      },
      {
        group: t('nav.agents'),
        actions: agents.map((one) => ({
          id: one.id,
          label: one.name,
          leftSection: <IconServer size={18} />,
          onClick: () => navigate(`/instances/${one.id}`),
        })),
      },
      {
        group: t('nav.conversations'),
        actions: (sessions.data ?? []).slice(0, 50).map((one) => ({
          id: one.key,
          label: one.title || t('chat.untitled'),
          leftSection: <IconMessage size={18} />,
          onClick: () => navigate(`/?agent=${agent?.id}&session=${encodeURIComponent(one.key)}`),
        })),
      },
      {
        group: t('nav.settings'),
        actions: settingsOf(me).map(({ id, icon: Icon }) => ({
          id: `settings-${id}`,
          label: t(`settings.${id}`),
          leftSection: <Icon size={18} />,
          onClick: () => navigate(`/settings/${id}`),
        })),
      },
    ],
    [agent, agents, sessions.data, me, navigate, colorScheme, setColorScheme],
  );

  return (
    <Spotlight
      store={store}
      actions={groups.filter((group) => group.actions.length > 0)}
      nothingFound={t('palette.nothing')}
      highlightQuery
      scrollable
      maxHeight={420}
      shortcut={null}
      onSpotlightClose={onClose}
      searchProps={{
        leftSection: <IconSearch size={18} />,
        placeholder: t('palette.placeholder'),
        'aria-label': t('palette.placeholder'),
      }}
    />
  );
}
