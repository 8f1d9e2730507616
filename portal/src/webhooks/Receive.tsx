// For whoever writes the receiver: what comes, what to answer, and where to read on.
import { Anchor, Code, Text } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { t } from '../strings';
import { Section } from '../ui/bits';

const MESSAGE = `POST /hooks/fractal HTTP/1.1
content-type: application/json
webhook-id: ev_…
webhook-timestamp: 1764000000
webhook-signature: v1,…

{
  "type": "user.create",
  "timestamp": "2026-11-24T16:00:00.000Z",
  "data": {
    "id": "ev_…",
    "seq": 66,
    "organization_id": "org_…",
    "actor": { "kind": "user", "id": "user_…" },
    "resource": { "kind": "user", "id": "user_…" },
    "outcome": "done",
    "request_id": "req_…"
  }
}`;

export function Docs() {
  return (
    <Anchor
      href="https://www.standardwebhooks.com"
      target="_blank"
      rel="noopener noreferrer"
      size="sm"
      underline="always"
    >
      {t('webhook.docs')} <IconExternalLink size={13} aria-hidden />
    </Anchor>
  );
}

export function Receive() {
  return (
    <Section title={t('webhook.receive')}>
      <Text size="sm" className="prose">
        {t('webhook.receive.again')} {t('webhook.receive.order')} <Docs />
      </Text>
      <Code block mt="sm" tabIndex={0}>
        {MESSAGE}
      </Code>
    </Section>
  );
}
