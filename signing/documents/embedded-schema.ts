/** A schema of a document of its own, as a part of another schema: its `$id` names the whole one only. */
export function embeddedSchema(schema: { readonly $schema: string; readonly $id: string }): object {
  const { $schema: _dialect, $id: _id, ...embeddable } = schema;
  return embeddable;
}
