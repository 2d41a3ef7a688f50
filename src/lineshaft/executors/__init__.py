"""How a worker isolates a task."""
