"""What the shop answers."""


def greeting(name: str) -> str:
    """Greet a customer."""
    return f"Welcome, {name}."
