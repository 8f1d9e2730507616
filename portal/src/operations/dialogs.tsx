// What is asked before an operation is turned round or goes on in another way: what will happen, in plain words.
import { api } from '../api/client';
import type { OperationView } from '../api/types';
import { has, type Key, t } from '../strings';
import { Confirm } from '../ui/dialogs';
import { current, goesBack } from './progress';
import { stepWords } from './steps';

export const CHOICES = ['cancel', 'undo', 'skip', 'retry'] as const;
export type Choice = (typeof CHOICES)[number];

const ADDRESSES: Record<Choice, (id: string) => string> = {
  cancel: (id) => `/api/v1/operations/${id}/cancel`,
  undo: (id) => `/api/v1/operations/${id}/undo`,
  skip: (id) => `/api/v1/operations/${id}/skip`,
  retry: (id) => `/api/v1/operations/${id}/retry`,
};

function hint(choice: Choice, operation: OperationView): Key {
  // Where going back means more than it says.
  const own = `operation.undo.${operation.kind}`;
  if ((choice === 'cancel' || choice === 'undo') && has(own)) return own;
  if (choice === 'cancel')
    return operation.state === 'pending' ? 'operation.cancel.pending' : 'operation.cancel.hint';
  if (choice === 'undo') return 'operation.undo.hint';
  return goesBack(operation) ? `operation.${choice}.back` : `operation.${choice}.hint`;
}

export function Choose(props: {
  choice: Choice;
  operation: OperationView;
  onChosen: (view: OperationView) => void;
  onClose: () => void;
}) {
  const { choice, operation } = props;
  const step = operation.steps[current(operation)];
  return (
    <Confirm
      title={t(`operation.${choice}.title`)}
      action={t(`operation.${choice}`)}
      // Two buttons that say “Cancel” would mean opposite things.
      dismiss={choice === 'cancel' ? t('operation.cancel.keep') : undefined}
      danger={choice === 'skip'}
      onClose={props.onClose}
      onConfirm={async () => props.onChosen(await api.post<OperationView>(ADDRESSES[choice](operation.id)))}
    >
      {t(hint(choice, operation), { step: step ? stepWords(operation.kind, step.name) : '' })}
    </Confirm>
  );
}
