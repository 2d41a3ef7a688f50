"""The versioned messages between server and workers."""
