"""What Lineshaft talks to: git, Docker engines, Kubernetes clusters, blob folders."""
