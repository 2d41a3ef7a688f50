"""The nouns of Lineshaft: frozen types and enums on the standard library alone."""
