/** Who asks. What they may do is decided by each action, from the database. */
export interface Caller {
  user_id: number;
}
