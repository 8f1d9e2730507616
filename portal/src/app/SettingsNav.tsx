// The settings' own navigation: in the sidebar, or as a strip on phones.
import {
  IconAdjustments,
  IconChartBar,
  IconDevices,
  IconKey,
  IconLogin2,
  IconPlugConnected,
  IconPuzzle,
  IconRobot,
  IconShieldCheck,
  IconUser,
  IconUsers,
  IconWebhook,
} from '@tabler/icons-react';
import { NavLink } from 'react-router';
import type { Me } from '../api/types';
import { t } from '../strings';
import { can, isAdmin } from './session';

const SETTINGS = [
  { id: 'agent', icon: IconRobot, admin: false },
  { id: 'providers', icon: IconPlugConnected, admin: false },
  { id: 'skills', icon: IconPuzzle, admin: false },
  { id: 'usage', icon: IconChartBar, admin: false },
  { id: 'account', icon: IconUser, admin: false },
  { id: 'sessions', icon: IconDevices, admin: false },
  { id: 'tokens', icon: IconKey, admin: false },
  { id: 'people', icon: IconUsers, admin: true },
  { id: 'sign-in', icon: IconLogin2, admin: true },
  { id: 'rules', icon: IconShieldCheck, admin: true, needs: 'policy.view' },
  { id: 'webhooks', icon: IconWebhook, admin: true, needs: 'webhook.view' },
  { id: 'installation', icon: IconAdjustments, admin: true },
] as const;

export type SettingsId = (typeof SETTINGS)[number]['id'];

/** The subjects that this person may see. */
export function settingsOf(me: Me | undefined) {
  return SETTINGS.filter((one) => ('needs' in one ? can(me, one.needs) : !one.admin || isAdmin(me)));
}

export function SettingsNav({ me }: { me: Me | undefined }) {
  return settingsOf(me).map(({ id, icon: Icon }) => (
    <NavLink key={id} className="nav-link" to={`/settings/${id}`}>
      <Icon size={18} aria-hidden />
      {t(`settings.${id}`)}
    </NavLink>
  ));
}
