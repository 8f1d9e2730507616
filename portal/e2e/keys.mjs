// The secret key of the scripted server: replaced at once, and what is stored moves to it when a test says so.
export function makeKeys() {
  /** `fixed`: it comes from the environment, where nobody can replace it. */
  const keys = { generation: 3, waiting: 0, fixed: false, answer };

  function answer(method, operations, me) {
    if (method === 'GET')
      return { status: 200, body: { generation: keys.generation, waiting: keys.waiting } };
    if (keys.fixed)
      return {
        status: 409,
        code: 'conflict',
        title: 'That does not fit its present state',
        more: {
          detail: 'the secret key comes from FRACTAL_SECRET_KEY',
          remedy: 'rotate it where it is kept, or give it as a file (FRACTAL_SECRET_KEY_FILE)',
        },
      };
    Object.assign(keys, { generation: keys.generation + 1, waiting: 2 });
    const begun = operations.rotate(keys.generation, { id: me.id, username: me.username });
    return { status: 202, body: operations.view(begun, me), did: 'key.rotate', begun };
  }
  return keys;
}
