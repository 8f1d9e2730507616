// The bodies of the HTTP surface under the names the pages use. Their shapes are generated from the API document
// (`npm run generate`); nothing here says a field a second time.
import type { components } from './schema';

type Schemas = components['schemas'];

/** One part of a list; the document has one such body for each kind of item. */
export type Page<T> = Omit<Schemas['Page_UserView'], 'items'> & { items: T[] };
export type ApiTokenView = Schemas['ApiTokenView'];
export type ApprovalDecision = Schemas['ApprovalDecision'];
export type Attachment = Schemas['Attachment'];
export type BrowserSessionView = Schemas['BrowserSessionView'];
export type ChatEvent = Schemas['ChatEvent'];
export type ChatHistory = Schemas['ChatHistory'];
export type ChatMessage = Schemas['ChatMessage'];
export type ChatPhase = Schemas['ChatPhase'];
export type ChatSession = Schemas['ChatSession'];
export type ConsistencyProof = Schemas['ConsistencyProof'];
export type CreateApiToken = Schemas['CreateApiToken'];
export type CreateIdentityProvider = Schemas['CreateIdentityProvider'];
export type CreateInvitation = Schemas['CreateInvitation'];
export type CreateProvider = Schemas['CreateProvider'];
export type CreateWebhook = Schemas['CreateWebhook'];
export type DeliveryState = Schemas['DeliveryStateView'];
export type DeliveryView = Schemas['DeliveryView'];
export type EngineProgress = Schemas['EngineProgress'];
export type EngineView = Schemas['EngineView'];
export type EvidenceHead = Schemas['EvidenceHead'];
/** The document knows the last three only as objects. */
export type EvidenceView = Omit<Schemas['EvidenceView'], 'decision' | 'values' | 'commitments'> & {
  decision: { allowed?: boolean; policies?: string[] } | null;
  values: Record<string, unknown>;
  commitments: Record<string, string>;
};
export type IdentityProviderView = Schemas['IdentityProviderView'];
export type InclusionProof = Schemas['InclusionProof'];
export type InstanceView = Schemas['InstanceView'];
export type InvitationView = Schemas['InvitationView'];
export type LogLineView = Schemas['LogLineView'];
export type Me = Schemas['Me'];
export type NewApiToken = Schemas['NewApiToken'];
export type NewInvitation = Schemas['NewInvitation'];
export type NewWebhook = Schemas['NewWebhook'];
export type OnboardingAgentResult = Schemas['OnboardingAgentResult'];
export type OnboardingProviderResult = Schemas['OnboardingProviderResult'];
export type OnboardingStatus = Schemas['OnboardingStatus'];
export type Problem = Schemas['Problem'];
export type ProfileView = Schemas['ProfileView'];
export type ProviderFault = Schemas['ProviderFault'];
export type ProviderKind = Schemas['ProviderKind'];
export type ProviderTest = Schemas['ProviderTest'];
export type ProviderView = Schemas['ProviderView'];
export type Role = Schemas['Role'];
export type RuntimeAssetView = Schemas['RuntimeAssetView'];
export type Scope = Schemas['Scope'];
export type SeenState = Schemas['SeenState'];
export type SessionEvent = Schemas['SessionEvent'];
export type SetSkillCredential = Schemas['SetSkillCredential'];
export type SettingsView = Schemas['SettingsView'];
export type SignInMethods = Schemas['SignInMethods'];
export type SkillCredentialView = Schemas['SkillCredentialView'];
export type SkillList = Schemas['SkillList'];
export type SkillMissing = Schemas['SkillMissing'];
export type SkillState = Schemas['SkillState'];
export type SkillView = Schemas['SkillView'];
export type TimelineEntry = Schemas['TimelineEntry'];
export type TokenUsage = Schemas['TokenUsage'];
export type ToolAccess = Schemas['ToolAccess'];
export type UpdateProfile = Schemas['UpdateProfile'];
export type UpdateWebhook = Schemas['UpdateWebhook'];
export type UsageReport = Schemas['UsageReport'];
export type UserView = Schemas['UserView'];
export type WebhookTest = Schemas['WebhookTest'];
export type WebhookView = Schemas['WebhookView'];
