/** The elements that an element stands in, through the borders of shadow trees. */

/** The parent, or the host of the shadow root the element stands in. */
function parentOf(node: Element): Element | null {
  if (node.parentElement !== null) return node.parentElement;
  const root = node.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

/** Parents from the nearest to the root of the page. */
export function ancestorsOf(node: Element): Element[] {
  const ancestors: Element[] = [];
  for (let at = parentOf(node); at !== null; at = parentOf(at)) ancestors.push(at);
  return ancestors;
}
