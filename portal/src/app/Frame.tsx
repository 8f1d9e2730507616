// The frame around every signed-in page: sidebar (a bottom bar on phones), header, palette, lost-connection bar.
import { ActionIcon, Button, Kbd, Skeleton, Tooltip } from '@mantine/core';
import { useDisclosure, useHotkeys, useLocalStorage } from '@mantine/hooks';
import {
  IconActivityHeartbeat,
  IconInbox,
  IconLayoutSidebarLeftCollapse,
  IconLayoutSidebarLeftExpand,
  IconListCheck,
  IconMessage,
  IconMessages,
  IconRoute,
  IconSearch,
  IconServer,
  IconSettings,
  IconWifiOff,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { Link, Navigate, NavLink, Outlet, useLocation } from 'react-router';
import { useHappeningStream } from '../api/happenings';
import { useConnectionLost } from '../api/live';
import { asProblem } from '../api/problem';
import { awaitingQuery, brokenQuery, meQuery, onboardingQuery, stuckQuery } from '../api/queries';
import { SessionList } from '../chat/SessionList';
import { t, tn } from '../strings';
import { Logo, ProblemAlert } from '../ui/bits';
import { AccountMenu } from './AccountMenu';
import { HeaderSlot } from './header';
import { followAccount } from './language';
import { ResetNotice } from './ResetNotice';
import { SettingsNav } from './SettingsNav';
import { can, isAdmin } from './session';

const Conversations = lazy(() => import('./Conversations'));
const Palette = lazy(() => import('./Palette'));
/** On phones the bar at the bottom is full: these stand in the row of settings. */
const BESIDE = ['proposals', 'operations', 'incidents', 'evidence'] as const;

export function Frame() {
  const me = useQuery(meQuery);
  const onboarding = useQuery(onboardingQuery);
  const awaiting = useQuery({ ...awaitingQuery, enabled: me.data !== undefined }).data?.length ?? 0;
  const stuck = useQuery({ ...stuckQuery(false), enabled: me.data !== undefined }).data?.length ?? 0;
  const sees = can(me.data, 'incident.view');
  const broken = useQuery({ ...brokenQuery, enabled: sees }).data?.length ?? 0;
  const { pathname } = useLocation();
  const [narrow, setNarrow] = useLocalStorage({ key: 'fractal.sidebar', defaultValue: false });
  const [palette, setPalette] = useState(false);
  const [conversations, drawer] = useDisclosure(false);
  const main = useRef<HTMLElement>(null);
  const lost = useConnectionLost();
  useHappeningStream(me.data);
  useHotkeys([['mod+K', () => setPalette(true)]], []);

  // A new page is read from its top by screen readers and keyboards alike.
  const first = useRef(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the page changes
  useEffect(() => {
    drawer.close();
    if (first.current) first.current = false;
    else if (pathname !== '/') main.current?.focus({ preventScroll: true });
  }, [pathname]);

  useEffect(() => {
    if (me.data) followAccount(me.data);
  }, [me.data]);
  // Some entries stand there only once it is known who is here.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the row of settings changes
  useEffect(() => {
    document.querySelector('.settings-tabs .active')?.scrollIntoView({ inline: 'center', block: 'nearest' });
  }, [pathname, me.data?.role]);

  if (onboarding.data && !onboarding.data.steps.breakglass) return <Navigate to="/setup" replace />;
  if (me.error) {
    if (asProblem(me.error).status === 401) return <Skeleton height={0} />;
    return (
      <div className="gate">
        <ProblemAlert error={me.error} onRetry={() => void me.refetch()} />
      </div>
    );
  }
  if (onboarding.data && !onboarding.data.completed && isAdmin(me.data))
    return <Navigate to="/setup" replace />;

  const inSettings = pathname.startsWith('/settings');
  const beside = BESIDE.find((one) => one === pathname.split('/')[1]);
  const isChat = pathname === '/';
  return (
    <div className="frame" data-narrow={narrow || undefined}>
      <a className="skip" href="#main">
        {t('frame.skip')}
      </a>
      <aside className="sidebar" aria-label={t('frame.navigation')}>
        <div className="brand">
          <Link to="/" aria-label={t('frame.home')}>
            <Logo />
            {!narrow && 'Fractal'}
          </Link>
          {!narrow && <span style={{ flex: 1 }} />}
          <Tooltip label={narrow ? t('frame.expand') : t('frame.collapse')}>
            <ActionIcon
              variant="subtle"
              color="gray"
              onClick={() => setNarrow(!narrow)}
              aria-label={narrow ? t('frame.expand') : t('frame.collapse')}
            >
              {narrow ? (
                <IconLayoutSidebarLeftExpand size={18} />
              ) : (
                <IconLayoutSidebarLeftCollapse size={18} />
              )}
            </ActionIcon>
          </Tooltip>
        </div>
        <nav className="nav" aria-label={t('frame.pages')}>
          <RailLink to="/" icon={<IconMessage size={18} />} label={t('nav.chat')} narrow={narrow} end />
          <RailLink to="/instances" icon={<IconServer size={18} />} label={t('nav.agents')} narrow={narrow} />
          <RailLink
            to="/proposals"
            icon={<IconInbox size={18} />}
            label={t('nav.proposals')}
            narrow={narrow}
            waiting={{ n: awaiting, words: 'nav.waiting' }}
          />
          <RailLink
            to="/operations"
            icon={<IconRoute size={18} />}
            label={t('nav.operations')}
            narrow={narrow}
            waiting={{ n: stuck, words: 'nav.stuck' }}
          />
          {sees && (
            <RailLink
              to="/incidents"
              icon={<IconActivityHeartbeat size={18} />}
              label={t('nav.incidents')}
              narrow={narrow}
              waiting={{ n: broken, words: 'nav.broken' }}
            />
          )}
          {can(me.data, 'evidence.view') && (
            <RailLink
              to="/evidence"
              icon={<IconListCheck size={18} />}
              label={t('nav.evidence')}
              narrow={narrow}
            />
          )}
          <RailLink
            to="/settings"
            icon={<IconSettings size={18} />}
            label={t('nav.settings')}
            narrow={narrow}
          />
        </nav>
        {isChat && (
          <div className="aside">
            <SessionList />
          </div>
        )}
        {inSettings && (
          <nav className="aside nav" aria-label={t('nav.settings')}>
            <SettingsNav me={me.data} />
          </nav>
        )}
      </aside>
      <main className="main" id="main" ref={main} tabIndex={-1} style={{ outline: 'none' }}>
        {lost && (
          <div className="lost" role="status">
            <IconWifiOff size={16} aria-hidden />
            {t('frame.lost')}
          </div>
        )}
        {me.data?.password_reset && <ResetNotice reset={me.data.password_reset} />}
        <header className="header">
          <div className="header-title" id="header-slot">
            {!isChat && (
              <span className="only-phone">
                {t(inSettings ? 'nav.settings' : beside ? `nav.${beside}` : 'nav.agents')}
              </span>
            )}
            <HeaderSlot.Target />
          </div>
          <Button
            className="only-wide search-button"
            variant="default"
            size="xs"
            leftSection={<IconSearch size={15} />}
            rightSection={<Kbd size="xs">{t('frame.ctrlK')}</Kbd>}
            onClick={() => setPalette(true)}
          >
            {t('frame.search')}
          </Button>
          {awaiting > 0 && (
            <ActionIcon
              component={Link}
              to="/proposals"
              className="only-phone"
              variant="subtle"
              color="gray"
              size={44}
              aria-label={waitingName(t('nav.proposals'), tn('nav.waiting', awaiting))}
            >
              <IconInbox size={20} />
              <Count n={awaiting} />
            </ActionIcon>
          )}
          {/* In the chat the agent and its state need the room. What is stuck is soon found broken: one sign is enough. */}
          {broken > 0 && !isChat && (
            <ActionIcon
              component={Link}
              to="/incidents"
              className="only-phone"
              variant="subtle"
              color="gray"
              size={44}
              aria-label={waitingName(t('nav.incidents'), tn('nav.broken', broken))}
            >
              <IconActivityHeartbeat size={20} />
              <Count n={broken} />
            </ActionIcon>
          )}
          {stuck > 0 && broken === 0 && !isChat && (
            <ActionIcon
              component={Link}
              to="/operations"
              className="only-phone"
              variant="subtle"
              color="gray"
              size={44}
              aria-label={waitingName(t('nav.operations'), tn('nav.stuck', stuck))}
            >
              <IconRoute size={20} />
              <Count n={stuck} />
            </ActionIcon>
          )}
          <ActionIcon
            className="only-phone"
            variant="subtle"
            color="gray"
            size={44}
            aria-label={t('frame.search')}
            onClick={() => setPalette(true)}
          >
            <IconSearch size={20} />
          </ActionIcon>
          <AccountMenu me={me.data} />
        </header>
        {(inSettings || beside) && (
          <nav className="settings-tabs" aria-label={t('nav.settings')}>
            <SettingsNav me={me.data} />
            <NavLink className="nav-link" to="/proposals">
              <IconInbox size={18} aria-hidden />
              {t('nav.proposals')}
            </NavLink>
            <NavLink className="nav-link" to="/operations">
              <IconRoute size={18} aria-hidden />
              {t('nav.operations')}
            </NavLink>
            {sees && (
              <NavLink className="nav-link" to="/incidents">
                <IconActivityHeartbeat size={18} aria-hidden />
                {t('nav.incidents')}
              </NavLink>
            )}
            {can(me.data, 'evidence.view') && (
              <NavLink className="nav-link" to="/evidence">
                <IconListCheck size={18} aria-hidden />
                {t('nav.evidence')}
              </NavLink>
            )}
          </nav>
        )}
        {isChat ? (
          <Outlet />
        ) : (
          <div className="content">
            <Outlet />
          </div>
        )}
      </main>
      <nav className="bottom-bar" aria-label={t('frame.pages')}>
        <NavLink to="/" end>
          <IconMessage size={22} aria-hidden />
          {t('nav.chat')}
        </NavLink>
        <button type="button" onClick={drawer.open} aria-haspopup="dialog">
          <IconMessages size={22} aria-hidden />
          {t('nav.conversations')}
        </button>
        <NavLink to="/instances">
          <IconServer size={22} aria-hidden />
          {t('nav.agents')}
        </NavLink>
        <NavLink to="/settings" className={({ isActive }) => (isActive || beside ? 'active' : '')}>
          <IconSettings size={22} aria-hidden />
          {t('nav.settings')}
        </NavLink>
      </nav>
      {conversations && (
        <Suspense>
          <Conversations onClose={drawer.close} />
        </Suspense>
      )}
      {palette && (
        <Suspense>
          <Palette me={me.data} onClose={() => setPalette(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** Begins with the word on the screen, for those who speak to their computer. */
const waitingName = (label: string, count: string) => `${label}, ${count}`;

function Count({ n }: { n: number }) {
  return (
    <span className="count" aria-hidden>
      {n > 99 ? '99+' : n}
    </span>
  );
}

function RailLink(props: {
  to: string;
  icon: React.ReactNode;
  label: string;
  narrow: boolean;
  end?: boolean;
  /** How many wait there for whoever is here, and what that is called. */
  waiting?: { n: number; words: 'nav.waiting' | 'nav.stuck' | 'nav.broken' };
}) {
  const n = props.waiting?.n ?? 0;
  const count = props.waiting && n > 0 ? tn(props.waiting.words, n) : undefined;
  const name = count ? waitingName(props.label, count) : props.label;
  return (
    <Tooltip label={props.label} position="right" disabled={!props.narrow}>
      <NavLink
        className="nav-link"
        to={props.to}
        end={props.end ?? false}
        aria-label={props.narrow ? name : undefined}
      >
        {props.icon}
        {!props.narrow && props.label}
        {count && <Count n={n} />}
        {count && !props.narrow && <span className="visually-hidden">{count}</span>}
      </NavLink>
    </Tooltip>
  );
}
