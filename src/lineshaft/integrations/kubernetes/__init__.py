"""Kubernetes clusters, behind the built-in `deploy` driver.

`deploy_manifest` is what a worker calls; `ClusterAccess` tells it where credentials are. Nothing here imports
lightkube before the first deploy.
"""

from lineshaft.integrations.kubernetes.access import ClusterAccess, ServiceAccount
from lineshaft.integrations.kubernetes.deploy import deploy_manifest

__all__ = ["ClusterAccess", "ServiceAccount", "deploy_manifest"]
