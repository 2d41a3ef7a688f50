"""Bitbucket Cloud and Bitbucket Data Center: their webhooks, and the statuses of commits there."""
