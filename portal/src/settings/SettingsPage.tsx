// One page per subject; which, stands in the address.
import { useParams } from 'react-router';
import type { SettingsId } from '../app/SettingsNav';
import { NotFound } from '../ui/bits';
import { AccountSettings } from './AccountSettings';
import { AgentSettings } from './AgentSettings';
import { BrowserSessions } from './BrowserSessions';
import { InstallationSettings } from './InstallationSettings';
import { PeopleSettings } from './PeopleSettings';
import { ProviderSettings } from './ProviderSettings';
import { SignInSettings } from './SignInSettings';
import { SkillSettings } from './SkillSettings';
import { TokenSettings } from './TokenSettings';
import { UsageSettings } from './UsageSettings';

/** Access rules and webhooks have pages of their own (`app/pages.ts`). */
const PAGES: Record<Exclude<SettingsId, 'rules' | 'webhooks'>, () => React.ReactNode> = {
  agent: AgentSettings,
  providers: ProviderSettings,
  skills: SkillSettings,
  usage: UsageSettings,
  account: AccountSettings,
  sessions: BrowserSessions,
  tokens: TokenSettings,
  people: PeopleSettings,
  'sign-in': SignInSettings,
  installation: InstallationSettings,
};

export default function SettingsPage() {
  const { section = '' } = useParams();
  if (!(section in PAGES)) return <NotFound />;
  const Page = PAGES[section as keyof typeof PAGES];
  return <Page key={section} />;
}
