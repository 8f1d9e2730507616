// Language and colours, as in the menu of the account.
import { Input, SegmentedControl, Stack, useMantineColorScheme } from '@mantine/core';
import type { Me } from '../api/types';
import { changeLocale } from '../app/language';
import { LOCALES, type Locale, locale, t } from '../strings';
import { Section } from '../ui/bits';

const SCHEMES = ['auto', 'light', 'dark'] as const;

export function Appearance({ me }: { me: Me }) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <Section title={t('appearance.title')} intro={t('appearance.intro')}>
      <Stack maw={440}>
        <Choice
          label={t('language.title')}
          value={locale()}
          data={(Object.keys(LOCALES) as Locale[]).map((value) => ({ value, label: LOCALES[value] }))}
          onChange={(value) => void changeLocale(value, me)}
        />
        <Choice
          label={t('theme.title')}
          value={colorScheme}
          data={SCHEMES.map((value) => ({
            value,
            label: t(value === 'auto' ? 'theme.system' : `theme.${value}`),
          }))}
          onChange={setColorScheme}
        />
      </Stack>
    </Section>
  );
}

function Choice<T extends string>(props: {
  label: string;
  value: T;
  data: { value: T; label: string }[];
  onChange: (value: T) => void;
}) {
  return (
    <Input.Wrapper label={props.label} labelElement="div">
      <SegmentedControl
        fullWidth
        mt={4}
        aria-label={props.label}
        value={props.value}
        data={props.data}
        onChange={(value) => props.onChange(value as T)}
      />
    </Input.Wrapper>
  );
}
