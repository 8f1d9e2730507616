// Step three: which model. Saved and tested in one go; when the test fails the exact reason stands there and the
// same provider is mended, not a second one made.
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { providersQuery, queryClient } from '../api/queries';
import type { OnboardingProviderResult, ProviderKind, ProviderTest } from '../api/types';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { emptyProvider, KindPicker, ProviderFields, providerBody, TestResult } from '../ui/providers';
import { useForm } from '../ui/useForm';

export function ProviderStep({ onDone }: { onDone: () => Promise<void> }) {
  const form = useForm(emptyProvider);
  const [saved, setSaved] = useState<{ id: string; kind: ProviderKind } | undefined>();
  const [test, setTest] = useState<ProviderTest | undefined>();
  const existing = useQuery(providersQuery);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let result: ProviderTest | undefined;
    const ok = await form.submit(async () => {
      const body = providerBody(form.values);
      if (saved && saved.kind === body.type) {
        const { type: _, ...change } = body;
        await api.patch(`/api/v1/providers/${saved.id}`, change);
        result = await api.post<ProviderTest>(`/api/v1/providers/${saved.id}/test`);
      } else {
        if (saved) await api.delete(`/api/v1/providers/${saved.id}`).catch(() => {});
        const made = await api.post<OnboardingProviderResult>('/api/onboarding/provider', body);
        setSaved({ id: made.id, kind: body.type });
        result = made.test;
      }
      setTest(result);
      await queryClient.invalidateQueries({ queryKey: providersQuery.queryKey });
    });
    if (ok && result?.ok && form.values.type === 'demo') await onDone();
  };

  const pick = (kind: ProviderKind) => {
    form.set('type', kind);
    form.setError(null);
    setTest(undefined);
  };
  const done = test?.ok === true;
  return (
    <form onSubmit={(event) => void submit(event)}>
      <Stack>
        <div>
          <Title order={1}>{t('setup.provider.title')}</Title>
          <Text c="dimmed" size="sm" mt={4}>
            {t('setup.provider.hint')}
          </Text>
        </div>
        <KindPicker value={form.values.type} onChange={pick} />
        <ProviderFields form={form} admin />
        <ProblemAlert error={form.error} shown={form.shown} />
        {test && <TestResult test={test} />}
        <Group justify="flex-end">
          {test && !test.ok && (
            <Button variant="subtle" onClick={() => void onDone()}>
              {t('setup.provider.anyway')}
            </Button>
          )}
          {!test && !saved && (existing.data?.length ?? 0) > 0 && (
            <Button variant="subtle" onClick={() => void onDone()}>
              {t('setup.provider.keep', { name: existing.data?.[0]?.name ?? '' })}
            </Button>
          )}
          {done ? (
            <Button onClick={() => void onDone()} autoFocus>
              {t('setup.continue')}
            </Button>
          ) : (
            <Button type="submit" loading={form.busy}>
              {form.values.type === 'demo'
                ? t('setup.provider.demo')
                : test
                  ? t('setup.provider.again')
                  : t('setup.provider.test')}
            </Button>
          )}
        </Group>
      </Stack>
    </form>
  );
}
