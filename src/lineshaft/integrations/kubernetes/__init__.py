"""Kubernetes clusters, behind the built-in `deploy` driver.

`deploy_manifest` and `deploy_manifests` are what a worker calls; `ClusterAccess` tells them where credentials
are. Nothing here imports lightkube before the first deploy.
"""

from lineshaft.integrations.kubernetes.access import ClusterAccess, ServiceAccount
from lineshaft.integrations.kubernetes.deploy import deploy_manifest, deploy_manifests

__all__ = ["ClusterAccess", "ServiceAccount", "deploy_manifest", "deploy_manifests"]
