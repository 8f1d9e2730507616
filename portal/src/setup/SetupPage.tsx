// The wizard of the first start: four short steps. Where one is, the server knows, so that each can be left and
// resumed; the newest step that is not done comes next.
import { Skeleton, Stepper } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Navigate } from 'react-router';
import { asProblem } from '../api/problem';
import { meQuery, onboardingQuery } from '../api/queries';
import { Gate } from '../auth/Gate';
import { t } from '../strings';
import { ProblemAlert } from '../ui/bits';
import { AgentStep } from './AgentStep';
import { ClaimStep } from './ClaimStep';
import { OidcStep } from './OidcStep';
import { ProviderStep } from './ProviderStep';
import './setup.css';

const STEPS = ['breakglass', 'oidc', 'provider', 'agent'] as const;

export default function SetupPage() {
  const status = useQuery(onboardingQuery);
  const me = useQuery({ ...meQuery, enabled: status.data?.steps.breakglass === true, retry: false });
  // The person may look back at a step that is done.
  const [chosen, setChosen] = useState<number | undefined>();
  // Once begun here, the wizard itself leads into the chat.
  const [leaving, setLeaving] = useState(false);

  if (status.data?.completed && !leaving) return <Navigate to="/" replace />;
  if (status.data?.steps.breakglass && me.error && asProblem(me.error).status === 401) {
    return <Navigate to="/login?return_to=/setup" replace />;
  }
  if (!status.data || (status.data.steps.breakglass && me.isPending)) {
    return (
      <Gate title={t('setup.title')} wide>
        {status.error ? (
          <ProblemAlert error={status.error} onRetry={() => void status.refetch()} />
        ) : (
          <Skeleton height={320} animate={false} aria-label={t('common.loading')} />
        )}
      </Gate>
    );
  }
  const { steps } = status.data;
  const next = STEPS.findIndex((step) => !steps[step]);
  const reached = next < 0 ? STEPS.length - 1 : next;
  const active = chosen !== undefined && chosen <= reached ? chosen : reached;
  const onDone = async () => {
    const wasChosen = active < reached;
    await status.refetch();
    setChosen(wasChosen ? active + 1 : undefined);
  };
  return (
    <Gate title={t('setup.title')} wide>
      <Stepper
        active={active}
        onStepClick={setChosen}
        size="xs"
        mb="xl"
        aria-label={t('setup.steps')}
        wrap={false}
        classNames={{ stepLabel: 'step-label' }}
      >
        {STEPS.map((step, i) => (
          <Stepper.Step
            key={step}
            label={t(`setup.step.${step}`)}
            aria-current={i === active ? 'step' : undefined}
            // The claim is made once; the others may be looked at again.
            allowStepSelect={i > 0 && i <= reached && i !== active}
          />
        ))}
      </Stepper>
      {active === 0 && <ClaimStep onDone={onDone} />}
      {active === 1 && <OidcStep onDone={onDone} done={steps.oidc} />}
      {active === 2 && <ProviderStep onDone={onDone} />}
      {active === 3 && <AgentStep onLeave={() => setLeaving(true)} agentExists={steps.agent} />}
    </Gate>
  );
}
