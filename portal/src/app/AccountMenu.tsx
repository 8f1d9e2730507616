// The person: language, colours, account, signing out.
import { Avatar, Menu, UnstyledButton, useMantineColorScheme } from '@mantine/core';
import { IconCheck, IconDeviceDesktop, IconLogout, IconMoon, IconSun, IconUser } from '@tabler/icons-react';
import { useNavigate } from 'react-router';
import type { Me } from '../api/types';
import { LOCALES, type Locale, locale, t } from '../strings';
import { changeLocale } from './language';
import { signOut } from './session';

const SCHEMES = [
  ['auto', 'theme.system', IconDeviceDesktop],
  ['light', 'theme.light', IconSun],
  ['dark', 'theme.dark', IconMoon],
] as const;

export function AccountMenu({ me }: { me: Me | undefined }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const navigate = useNavigate();
  const name = me ? me.display_name || me.username : '';
  const check = <IconCheck size={16} aria-hidden />;
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <UnstyledButton aria-label={t('account.menu', { name })} style={{ padding: 6 }}>
          <Avatar size={32} radius="xl" color="accent" variant="filled">
            {name.slice(0, 1).toUpperCase()}
          </Avatar>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {name}
          {me && ` · ${t(`role.${me.role}`)}`}
        </Menu.Label>
        <Menu.Item leftSection={<IconUser size={16} />} onClick={() => navigate('/settings/account')}>
          {t('settings.account')}
        </Menu.Item>
        <Menu.Divider />
        <Menu.Label>{t('theme.title')}</Menu.Label>
        {SCHEMES.map(([value, key, Icon]) => (
          <Menu.Item
            key={value}
            leftSection={<Icon size={16} />}
            rightSection={colorScheme === value && check}
            aria-current={colorScheme === value}
            onClick={() => setColorScheme(value)}
          >
            {t(key)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('language.title')}</Menu.Label>
        {(Object.keys(LOCALES) as Locale[]).map((value) => (
          <Menu.Item
            key={value}
            lang={value}
            rightSection={locale() === value && check}
            aria-current={locale() === value}
            onClick={() => void changeLocale(value, me)}
          >
            {LOCALES[value]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void signOut()}>
          {t('account.signOut')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
