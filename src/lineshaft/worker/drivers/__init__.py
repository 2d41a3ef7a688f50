"""The built-in drivers: run, build, deploy."""
