"""git: the program, and mirrors of repositories."""
