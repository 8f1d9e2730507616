// Provider kinds, their form fields, and how a test went: shared by the wizard and the settings.
import {
  Alert,
  PasswordInput,
  SimpleGrid,
  Switch,
  TagsInput,
  Text,
  TextInput,
  UnstyledButton,
} from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import type { CreateProvider, ProviderKind, ProviderTest } from '../api/types';
import { faultWords, type Key, t, tn } from '../strings';
import { seconds } from './format';
import { given, type useForm } from './useForm';

export const KINDS: ProviderKind[] = [
  'demo',
  'anthropic',
  'openai',
  'google',
  'openrouter',
  'xai',
  'openai_compatible',
  'anthropic_compatible',
];

export interface ProviderValues {
  type: ProviderKind;
  name: string;
  base_url: string;
  api_key: string;
  models: string[];
  shared: boolean;
  allow_private_network: boolean;
}

export const emptyProvider: ProviderValues = {
  type: 'demo',
  name: '',
  base_url: '',
  api_key: '',
  models: [],
  shared: false,
  allow_private_network: false,
};

export function isCompatible(kind: ProviderKind): boolean {
  return kind === 'openai_compatible' || kind === 'anthropic_compatible';
}

/** The request body: only what was given, and nothing that the kind does not take. */
export function providerBody(values: ProviderValues): CreateProvider {
  const body: CreateProvider = {
    type: values.type,
    name: given(values.name) ?? providerKind(values.type),
  };
  const key = given(values.api_key);
  const base = given(values.base_url);
  if (key && values.type !== 'demo') body.api_key = key;
  if (base && isCompatible(values.type)) body.base_url = base;
  if (values.models.length > 0) body.models = values.models;
  if (values.shared) body.shared = true;
  if (values.allow_private_network && isCompatible(values.type)) body.allow_private_network = true;
  return body;
}

/** What a stored provider of this kind is called. */
export function providerKind(kind: ProviderKind): string {
  return t(kind === 'demo' ? 'provider.demo.name' : `provider.${kind}`);
}

export function KindPicker(props: { value: ProviderKind; onChange: (kind: ProviderKind) => void }) {
  return (
    <SimpleGrid cols={{ base: 1, xs: 2 }} spacing="xs" role="radiogroup" aria-label={t('provider.kind')}>
      {KINDS.map((kind) => (
        <UnstyledButton
          key={kind}
          role="radio"
          aria-checked={props.value === kind}
          className="kind"
          onClick={() => props.onChange(kind)}
        >
          <Text size="sm" fw={600}>
            {t(`provider.${kind}`)}
          </Text>
          <Text size="xs" c="dimmed">
            {t(`provider.${kind}.hint`)}
          </Text>
        </UnstyledButton>
      ))}
    </SimpleGrid>
  );
}

export function ProviderFields(props: {
  form: ReturnType<typeof useForm<ProviderValues>>;
  admin: boolean;
  keyHint?: string | null | undefined;
  prefix?: string;
}) {
  const { form } = props;
  const { type } = form.values;
  if (type === 'demo') return null;
  return (
    <>
      {isCompatible(type) && (
        <TextInput
          label={t('provider.baseUrl')}
          description={t('provider.baseUrl.hint')}
          type="url"
          spellCheck={false}
          required
          {...form.text('base_url', props.prefix)}
        />
      )}
      <PasswordInput
        label={t('provider.apiKey')}
        description={
          props.keyHint
            ? t('provider.apiKey.stored', { hint: props.keyHint })
            : isCompatible(type)
              ? t('provider.apiKey.optional')
              : t('provider.apiKey.hint')
        }
        autoComplete="off"
        required={!isCompatible(type) && !props.keyHint}
        {...form.text('api_key', props.prefix)}
      />
      {isCompatible(type) && (
        <>
          <TagsInput
            label={t('provider.models')}
            description={t('provider.models.hint')}
            value={form.values.models}
            onChange={(models) => form.set('models', models)}
            error={form.fields.models}
          />
          {props.admin && (
            <Switch
              label={t('provider.private')}
              description={t('provider.private.hint')}
              checked={form.values.allow_private_network}
              onChange={(event) => form.set('allow_private_network', event.currentTarget.checked)}
            />
          )}
        </>
      )}
    </>
  );
}

/** Words of the server that name a setting as the API does; who reads here knows it by the label of its switch. */
export function privateWords(words: string | undefined, ours: Key): string | undefined {
  return words?.includes('allow_private_network') ? t(ours, { setting: t('provider.private') }) : words;
}

/** How a test went; an identity provider (`oidc`) has no models to list. */
export function TestResult({ test, oidc }: { test: ProviderTest; oidc?: boolean }) {
  if (test.ok) {
    return (
      <Alert color="green" variant="light" icon={<IconCircleCheck size={18} />} role="status">
        <Text size="sm">
          {t('provider.test.ok', { time: seconds(test.latency_ms) })}
          {!oidc && ` ${tn('provider.test.models', test.models.length)}`}
        </Text>
        {test.models.length > 0 && (
          <Text size="xs" className="mono" lineClamp={2}>
            {test.models.slice(0, 12).join(', ')}
          </Text>
        )}
      </Alert>
    );
  }
  const fault = test.error && faultWords(test.error);
  const permit = privateWords(test.error?.remedy, 'oidc.private.remedy');
  return (
    <Alert
      color="red"
      variant="light"
      icon={<IconAlertTriangle size={18} />}
      title={t('provider.test.failed')}
      role="alert"
    >
      {fault && (
        <>
          <Text size="sm">{fault.message}</Text>
          <Text size="sm" mt={4}>
            {permit === test.error?.remedy ? fault.remedy : permit}
          </Text>
        </>
      )}
    </Alert>
  );
}
