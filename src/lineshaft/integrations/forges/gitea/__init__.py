"""Gitea and Forgejo: their webhooks, and the statuses of commits there."""
