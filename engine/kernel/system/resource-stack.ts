/**
 * Owns resources in the order in which they came and gives them back in reverse: what a load that fails half-way
 * has made is undone by one `using`.
 */
export class ResourceStack implements Disposable {
  readonly #resources: Disposable[] = [];

  /** Takes over `resource` and gives it back for use. */
  use<Resource extends Disposable>(resource: Resource): Resource {
    this.#resources.push(resource);
    return resource;
  }

  /** Hands everything to a new owner; this stack is empty afterwards. */
  move(): ResourceStack {
    const moved = new ResourceStack();
    moved.#resources.push(...this.#resources.splice(0));
    return moved;
  }

  /** Gives back all of them, also behind one that fails; what the first of those throws comes out here. */
  [Symbol.dispose](): void {
    const errors: unknown[] = [];
    for (let resource = this.#resources.pop(); resource !== undefined; resource = this.#resources.pop()) {
      try {
        resource[Symbol.dispose]();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}
