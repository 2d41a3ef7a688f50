"""Checked documents of the pipeline language, made into the tree that the engine walks."""
