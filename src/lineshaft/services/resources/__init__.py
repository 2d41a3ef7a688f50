"""Resources: defined, changed, carried to drivers, and brought back to them where they were left behind."""
