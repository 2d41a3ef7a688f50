"""The HTTP API: composition root, one router a noun, one table from domain error to problem."""
