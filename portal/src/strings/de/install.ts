// How the installation of an engine goes, in German.
import type { install as en } from '../en/install';

export const install = {
  'install.done': 'Installiert',
  'install.download': 'OpenClaw wird heruntergeladen',
  'install.prepare': 'Die Installation von OpenClaw wird vorbereitet',
  'install.progress': 'OpenClaw wird installiert: {done} von {total} Paketen, {size}',
  'install.unpack': 'OpenClaw wird entpackt',
  'install.verify': 'OpenClaw wird geprüft',
} satisfies Record<keyof typeof en, string>;
