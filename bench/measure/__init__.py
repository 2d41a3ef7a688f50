"""Instruments: they start, drive and watch servers from outside."""
