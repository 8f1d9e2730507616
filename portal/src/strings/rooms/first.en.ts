// Read before anything is drawn: the frame, the chat, and what goes wrong anywhere, in English.
export * from '../en/chat';
export * from '../en/common';
export * from '../en/composer';
export * from '../en/frame';
export * from '../en/install';
export * from '../en/markdown';
export * from '../en/problem';
export * from '../en/state';
export * from '../en/turn';
