"""Lineshaft's own pipeline language, docs/language.md: from text to a document that keeps all its rules."""
