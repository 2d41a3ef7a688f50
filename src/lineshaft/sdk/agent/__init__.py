"""The claim loop of workers and drivers: claim attempts, have them done, keep their leases, report."""
