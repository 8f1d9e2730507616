// The pages, each a chunk of its own that brings its words along.
import { type ComponentType, lazy } from 'react';
import { enter, type Room } from '../strings';

/** Drawn when both the page and its words are there, so that nothing shows untranslated. */
function page<P>(load: () => Promise<{ default: ComponentType<P> }>, ...rooms: Room[]) {
  return lazy(async () => {
    const [module] = await Promise.all([load(), enter(...rooms)]);
    return module;
  });
}

export const ChatPage = page(() => import('../chat/ChatPage'));
export const LoginPage = page(() => import('../auth/LoginPage'), 'gate');
export const InvitationPage = page(() => import('../auth/InvitationPage'), 'gate');
export const SetupPage = page(() => import('../setup/SetupPage'), 'setup');
export const InstancesPage = page(() => import('../instances/InstancesPage'), 'instances');
export const InstancePage = page(() => import('../instances/InstancePage'), 'instances');
export const EvidencePage = page(() => import('../evidence/EvidencePage'), 'evidence');
export const RulesPage = page(() => import('../policy/RulesPage'), 'rules');
export const WebhooksPage = page(() => import('../webhooks/WebhooksPage'), 'webhooks');
export const WebhookPage = page(() => import('../webhooks/WebhookPage'), 'webhooks');
export const ProposalsPage = page(() => import('../proposals/ProposalsPage'), 'proposals');
export const ProposalPage = page(() => import('../proposals/ProposalPage'), 'proposals');
export const OperationsPage = page(() => import('../operations/OperationsPage'), 'operations');
export const OperationPage = page(() => import('../operations/OperationPage'), 'operations');
export const IncidentsPage = page(() => import('../incidents/IncidentsPage'), 'incidents');
export const IncidentPage = page(() => import('../incidents/IncidentPage'), 'incidents');
/** No page, but with words that only few ever need. */
export const Waiting = page(() => import('../proposals/Waiting'), 'proposals');
export const SettingsPage = page(() => import('../settings/SettingsPage'), 'settings');
