// Colours, sizes and radii. Greys are near neutral, one accent; text colours are chosen for 4.5:1 on their
// surface in both schemes (checked by axe in the browser tests).
import { type CSSVariablesResolver, createTheme } from '@mantine/core';
import { t } from '../strings';

export const reduceMotion =
  typeof matchMedia === 'function' && matchMedia('(prefers-reduced-motion: reduce)').matches;

/** Made anew for each language: the close buttons of dialogs are named here. */
export const makeTheme = () =>
  createTheme({
    primaryColor: 'accent',
    primaryShade: { light: 7, dark: 6 },
    fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
    fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
    defaultRadius: 'md',
    respectReducedMotion: true,
    autoContrast: true,
    cursorType: 'pointer',
    headings: { fontWeight: '600', sizes: { h1: { fontSize: '1.375rem' }, h2: { fontSize: '1rem' } } },
    fontSizes: { xs: '0.8125rem', sm: '0.875rem', md: '0.9375rem' },
    colors: {
      accent: [
        '#eef0ff',
        '#e0e3ff',
        '#c7ccfe',
        '#a5abfc',
        '#8187f8',
        '#6a6cf1',
        '#5b57e6',
        '#4f46e5',
        '#4338ca',
        '#3730a3',
      ],
      dark: [
        '#e3e4e8',
        '#b4b7bf',
        '#989ca6',
        '#6c707a',
        '#3a3d45',
        '#2c2f36',
        '#22242a',
        '#17181c',
        '#111215',
        '#0b0c0e',
      ],
    },
    // Plain objects, not `Component.extend`: that would pull every named component into the first load.
    components: {
      Modal: {
        defaultProps: {
          closeButtonProps: { 'aria-label': t('common.close') },
          transitionProps: { duration: reduceMotion ? 0 : 120 },
        },
      },
      Drawer: {
        defaultProps: {
          closeButtonProps: { 'aria-label': t('common.close') },
          transitionProps: { duration: reduceMotion ? 0 : 150 },
        },
      },
      Tooltip: {
        defaultProps: {
          openDelay: 350,
          withArrow: false,
          events: { hover: true, focus: true, touch: false },
        },
      },
      TextInput: { defaultProps: { size: 'sm' } },
      Textarea: { defaultProps: { autosize: true, minRows: 3 } },
      PasswordInput: { defaultProps: { size: 'sm' } },
      Select: { defaultProps: { allowDeselect: false, checkIconPosition: 'right' } },
    },
  });

export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--code-comment': '#636a74',
    '--code-keyword': '#8f2fb0',
    '--code-string': '#1b6e3c',
    '--code-number': '#9a4a00',
    '--code-title': '#1f57c3',
    '--code-builtin': '#00666b',
    '--code-deletion': '#b02525',
    '--mantine-color-dimmed': '#5b6069',
    '--mantine-color-placeholder': '#6b7079',
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-anchor': '#4338ca',
    '--mantine-color-default-border': '#dddfe3',
    '--surface': '#ffffff',
    '--surface-2': '#f6f7f9',
    '--surface-3': '#eceef1',
    '--line': '#e4e6ea',
    '--good': '#1a7f43',
    '--working': '#4338ca',
    '--attention': '#9a5b00',
    '--failed': '#c92a2a',
  },
  dark: {
    '--code-comment': '#9299a5',
    '--code-keyword': '#d2a0ff',
    '--code-string': '#8fd6a3',
    '--code-number': '#f0b37e',
    '--code-title': '#8ab8ff',
    '--code-builtin': '#7ad1d6',
    '--code-deletion': '#ff9b9b',
    '--mantine-color-dimmed': '#9ea2ac',
    '--mantine-color-placeholder': '#8d919b',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-anchor': '#a5abfc',
    '--mantine-color-body': '#121316',
    '--mantine-color-default': '#1b1c20',
    '--mantine-color-default-hover': '#25272c',
    '--mantine-color-default-border': '#33363d',
    '--surface': '#121316',
    '--surface-2': '#18191d',
    '--surface-3': '#25272c',
    '--line': '#292b31',
    '--good': '#4ccb83',
    '--working': '#a5abfc',
    // Text on their own tint; Mantine's are nearly white, and a danger must look like one.
    '--mantine-color-red-light-color': '#ffa8a8',
    '--mantine-color-yellow-light-color': '#f0b35a',
    '--attention': '#f0b35a',
    '--failed': '#ff8787',
  },
});
