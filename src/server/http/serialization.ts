/**
 * Makes answers into JSON as their contracts say, each compiled when it is first given: to compile all of them takes longer
 * than everything else at start, and most are errors that hardly anybody meets.
 */
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';

type Compile = ReturnType<ReturnType<typeof SerializerSelector>>;
type Serialize = ReturnType<Compile>;

/** Fastify's way to build serialisers; answers of one shape share theirs. */
export const buildSerializer: ReturnType<typeof SerializerSelector> = (shared, options) => {
  const compile = SerializerSelector()(shared, options);
  const compiled = new Map<string, Serialize>();
  return (route) => {
    const shape = JSON.stringify(route.schema);
    return (body) => {
      let serialize = compiled.get(shape);
      if (!serialize) {
        serialize = compile(route);
        compiled.set(shape, serialize);
      }
      return serialize(body);
    };
  };
};
