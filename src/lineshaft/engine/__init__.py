"""The pure heart: what follows from an event, decided without I/O, clock or randomness."""
