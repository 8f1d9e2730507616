// Read before anything is drawn: the frame, the chat, and what goes wrong anywhere, in German.
export * from '../de/chat';
export * from '../de/common';
export * from '../de/composer';
export * from '../de/frame';
export * from '../de/install';
export * from '../de/markdown';
export * from '../de/problem';
export * from '../de/state';
export * from '../de/turn';
