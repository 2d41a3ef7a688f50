"""Documents of other systems and of the REST API, docs/formats.md: each becomes a native one."""
