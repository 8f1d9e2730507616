// Step two: signing in with the organization's own identity provider. Most people skip it.
import { Button, Group, Stack, Text, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { api } from '../api/client';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { emptyOidc, OidcFields, oidcBody } from '../ui/oidc';
import { useForm } from '../ui/useForm';

export function OidcStep({ onDone, done }: { onDone: () => Promise<void>; done: boolean }) {
  const [open, setOpen] = useState(false);
  const form = useForm(emptyOidc);
  const skip = async () => {
    if (done || (await form.submit(() => api.post('/api/onboarding/oidc', { skip: true })))) await onDone();
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const ok = await form.submit(() => api.post('/api/onboarding/oidc', { provider: oidcBody(form.values) }));
    if (ok) await onDone();
  };
  return (
    <Stack>
      <div>
        <Title order={1}>{t('setup.oidc.title')}</Title>
        <Text c="dimmed" size="sm" mt={4}>
          {t('setup.oidc.hint')}
        </Text>
      </div>
      <ProblemAlert error={form.error} shown={Object.keys(form.values).map((name) => `provider.${name}`)} />
      {open ? (
        <form onSubmit={(event) => void submit(event)}>
          <Stack>
            <OidcFields form={form} prefix="provider." />
            <Group justify="space-between">
              <Button variant="subtle" onClick={() => void skip()}>
                {t('setup.skip')}
              </Button>
              <Button type="submit" loading={form.busy}>
                {t('setup.continue')}
              </Button>
            </Group>
          </Stack>
        </form>
      ) : (
        <>
          <Button onClick={() => void skip()} loading={form.busy}>
            {t('setup.oidc.skip')}
          </Button>
          <Button variant="default" onClick={() => setOpen(true)}>
            {t('setup.oidc.open')}
          </Button>
        </>
      )}
    </Stack>
  );
}
