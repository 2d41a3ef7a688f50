"""Telling people how runs have ended."""
