"""The desk at which workers call, and what looks after workers and their leases."""
