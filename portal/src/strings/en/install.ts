// How the installation of an engine goes.
export const install = {
  'install.done': 'Installed',
  'install.download': 'Downloading OpenClaw',
  'install.prepare': 'Preparing to install OpenClaw',
  'install.progress': 'Installing OpenClaw: {done} of {total} packages, {size}',
  'install.unpack': 'Unpacking OpenClaw',
  'install.verify': 'Checking OpenClaw',
};
