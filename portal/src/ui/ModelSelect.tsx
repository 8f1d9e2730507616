// Chooses provider and model together: models are listed under their provider, and any other name may be typed.
import { Autocomplete, Select, Stack } from '@mantine/core';
import type { ProviderView } from '../api/types';
import { t } from '../strings';

export function ModelSelect(props: {
  providers: ProviderView[];
  providerId: string;
  model: string;
  onChange: (providerId: string, model: string) => void;
  error?: string | undefined;
}) {
  const provider = props.providers.find((one) => one.id === props.providerId);
  return (
    <Stack gap="sm">
      {props.providers.length > 1 && (
        <Select
          label={t('model.provider')}
          data={props.providers.map((one) => ({ value: one.id, label: one.name }))}
          value={props.providerId || null}
          onChange={(id) => {
            const chosen = props.providers.find((one) => one.id === id);
            props.onChange(id ?? '', chosen?.models[0] ?? '');
          }}
        />
      )}
      <Autocomplete
        label={t('model.model')}
        description={provider && provider.models.length === 0 ? t('model.type') : undefined}
        data={[...new Set(provider?.models ?? [])]}
        value={props.model}
        onChange={(model) => props.onChange(props.providerId, model)}
        // Everything is offered while the field holds a whole name.
        filter={({ options, search }) =>
          provider?.models.includes(search)
            ? options
            : options.filter(
                (one) => 'label' in one && one.label.toLowerCase().includes(search.toLowerCase()),
              )
        }
        limit={100}
        maxLength={200}
        required
        error={props.error}
      />
    </Stack>
  );
}
