"""NATS: what servers and drivers that talk by it have in common."""
