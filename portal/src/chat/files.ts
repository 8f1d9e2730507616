// Files that go with a message: pictures and text, up to the size the server takes.
import type { Attachment } from '../api/types';
import type { Key } from '../strings';

export const MOST_FILES = 10;
/** The server's limit for one file, decoded (`api-types`, `Attachment`). */
export const MOST_BYTES = 20 * 1024 * 1024;
export const ACCEPT =
  'image/png,image/jpeg,image/gif,image/webp,text/*,application/json,application/pdf,.md,.csv,.log,.toml,.yaml,.yml,.rs,.ts,.tsx,.js,.py,.go,.java,.sh,.sql';

export interface Refusal {
  name: string;
  reason: Key;
}

const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];
const TEXT_ENDINGS =
  /\.(md|csv|log|toml|ya?ml|rs|tsx?|jsx?|mjs|py|go|java|sh|sql|json|txt|html|css|xml|ini|c|h|cpp)$/i;

export function mediaType(name: string, type: string): string | undefined {
  if (PICTURES.includes(type) || type === 'application/pdf') return type;
  // Browsers disagree about the types of source files; to an agent they are all text.
  if (TEXT_ENDINGS.test(name)) return 'text/plain';
  if (type.startsWith('text/') || type === 'application/json') return type;
  return undefined;
}

export async function readFile(file: File): Promise<Attachment | Refusal> {
  const type = mediaType(file.name, file.type);
  if (!type) return { name: file.name, reason: 'composer.wrongType' };
  if (file.size > MOST_BYTES) return { name: file.name, reason: 'composer.tooLarge' };
  try {
    return { name: file.name.slice(0, 255), mime_type: type, content: await base64(file) };
  } catch {
    return { name: file.name, reason: 'composer.unreadable' };
  }
}

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(',', 2)[1] ?? '');
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
