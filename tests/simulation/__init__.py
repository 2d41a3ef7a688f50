"""A deterministic simulation of the whole control plane, in one process.

README.md in this folder tells what runs in it, what goes wrong, what must hold, and how a seed is replayed.
"""
