// Routes and providers. The frame comes first, then the page (`pages.ts`).
import { Button, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { Component, Fragment, type ReactNode, Suspense, useEffect, useMemo, useState } from 'react';
import { BrowserRouter, Navigate, Route, Routes, useLocation, useNavigate } from 'react-router';
import { setProposedHandler, setSignedOutHandler } from '../api/client';
import { queryClient } from '../api/queries';
import type { ProposalView } from '../api/types';
import { t } from '../strings';
import { NotFound, ProblemAlert } from '../ui/bits';
import { Frame } from './Frame';
import { useLocale } from './language';
import {
  ChatPage,
  EvidencePage,
  IncidentPage,
  IncidentsPage,
  InstancePage,
  InstancesPage,
  InvitationPage,
  LoginPage,
  OperationPage,
  OperationsPage,
  ProposalPage,
  ProposalsPage,
  RulesPage,
  SettingsPage,
  SetupPage,
  Waiting,
  WebhookPage,
  WebhooksPage,
} from './pages';
import { cssVariables, makeTheme } from './theme';

/** A page that breaks says so; the others go on. */
class Guard extends Component<{ children: ReactNode }, { error: unknown }> {
  override state = { error: null };
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override render() {
    if (this.state.error === null) return this.props.children;
    return (
      <div className="page">
        <ProblemAlert error={this.state.error} />
        <Button mt="md" onClick={() => location.reload()}>
          {t('common.reload')}
        </Button>
      </div>
    );
  }
}

/** Whoever is signed out (by time, by an administrator, elsewhere) comes back to where they were. */
function SignedOut() {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  useEffect(() => {
    setSignedOutHandler(() => {
      if (['/login', '/setup', '/invitation'].includes(pathname)) return;
      queryClient.clear();
      const back = pathname + search;
      navigate(back === '/' ? '/login' : `/login?return_to=${encodeURIComponent(back)}`, { replace: true });
    });
  }, [navigate, pathname, search]);
  return null;
}

/** A change that waits for approval, told wherever it was asked for. */
function Asked() {
  const [proposal, setProposal] = useState<ProposalView | undefined>();
  useEffect(() => {
    setProposedHandler((view) => {
      setProposal(view);
      void queryClient.invalidateQueries({ queryKey: ['proposals'] });
    });
  }, []);
  if (!proposal) return null;
  return (
    <Suspense>
      <Waiting key={proposal.id} proposal={proposal} onClose={() => setProposal(undefined)} />
    </Suspense>
  );
}

function page(element: ReactNode) {
  return <Suspense fallback={<div aria-busy="true" />}>{element}</Suspense>;
}

export function App() {
  const locale = useLocale();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme speaks the language
  const theme = useMemo(makeTheme, [locale]);
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <QueryClientProvider client={queryClient}>
        <BrowserRouter>
          <SignedOut />
          <Fragment key={locale}>
            <Guard>
              <Routes>
                <Route path="/setup" element={page(<SetupPage />)} />
                <Route path="/login" element={page(<LoginPage />)} />
                <Route path="/invitation" element={page(<InvitationPage />)} />
                <Route element={<Frame />}>
                  <Route path="/" element={page(<ChatPage />)} />
                  <Route path="/instances" element={page(<InstancesPage />)} />
                  <Route path="/instances/:id" element={page(<InstancePage />)} />
                  <Route path="/evidence" element={page(<EvidencePage />)} />
                  <Route path="/proposals" element={page(<ProposalsPage />)} />
                  <Route path="/proposals/:id" element={page(<ProposalPage />)} />
                  <Route path="/operations" element={page(<OperationsPage />)} />
                  <Route path="/operations/:id" element={page(<OperationPage />)} />
                  <Route path="/incidents" element={page(<IncidentsPage />)} />
                  <Route path="/incidents/:id" element={page(<IncidentPage />)} />
                  <Route path="/settings" element={<Navigate to="/settings/agent" replace />} />
                  <Route path="/settings/rules" element={page(<RulesPage />)} />
                  <Route path="/settings/webhooks" element={page(<WebhooksPage />)} />
                  <Route path="/settings/webhooks/:id" element={page(<WebhookPage />)} />
                  <Route path="/settings/:section" element={page(<SettingsPage />)} />
                  <Route path="*" element={<NotFound />} />
                </Route>
              </Routes>
              <Asked />
            </Guard>
          </Fragment>
        </BrowserRouter>
      </QueryClientProvider>
    </MantineProvider>
  );
}
