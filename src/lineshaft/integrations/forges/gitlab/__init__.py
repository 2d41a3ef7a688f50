"""GitLab: its webhooks, and the statuses of commits there."""
