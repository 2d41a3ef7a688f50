"""GitHub and GitHub Enterprise Server: their webhooks, and the statuses of commits there."""
