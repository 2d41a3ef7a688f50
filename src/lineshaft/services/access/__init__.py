"""Who calls, and what is known of them: users, grants, tokens, sessions, sign-in."""
