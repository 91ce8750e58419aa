declare module 'virtual:calls' {
  import type { Calls } from '../client/describe.ts';

  const calls: Calls;
  export default calls;
}
declare module '*.css';
/** The address at which the server has the file. */
declare module '*?url' {
  const address: string;
  export default address;
}
