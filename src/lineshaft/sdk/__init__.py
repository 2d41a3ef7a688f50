"""The public side for programs: the API client and the worker protocol."""
