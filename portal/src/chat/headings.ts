// Agents begin with whatever heading they like. Screen readers walk a page by its levels, so none is left out: below
// the page's own first level each heading goes at most one deeper than the one before it.

interface Node {
  type: string;
  depth?: number;
  children?: Node[];
}

/** A remark plugin. */
export function headingsInOrder() {
  return (tree: Node): void => {
    let last = 1;
    const walk = (node: Node) => {
      if (node.type === 'heading' && node.depth !== undefined) {
        last = Math.min(6, Math.max(2, Math.min(node.depth, last + 1)));
        node.depth = last;
      }
      for (const child of node.children ?? []) walk(child);
    };
    walk(tree);
  };
}
