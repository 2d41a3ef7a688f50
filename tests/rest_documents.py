"""Documents of the REST API for tests: those that its description shows, and a strategy that makes any."""

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

Document = dict[str, Any]

CREATED: Final = rb"""{
  "git_repository": "https://github.com/example/repo",
  "name": "CI Pipeline",
  "parallel": false,
  "stages": [
    {
      "command": "pytest",
      "name": "Run tests",
      "timeout": 500,
      "type": "Run"
    },
    {
      "dockerfile": "FROM alpine:latest && CMD [\"echo\", \"Hello, World!\"]",
      "ecr_repository": "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-repo",
      "name": "Build Docker image",
      "tag": "latest",
      "type": "Build"
    },
    {
      "cluster": {
        "name": "my-cluster",
        "namespace": "production",
        "server_url": "https://my-cluster.example.com"
      },
      "k8s_manifest": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
          "name": "my-app"
        },
        "spec": {
          "replicas": 2,
          "selector": {
            "matchLabels": {
              "app": "my-app"
            }
          },
          "template": {
            "metadata": {
              "labels": {
                "app": "my-app"
              }
            },
            "spec": {
              "containers": [
                {
                  "image": "my-app-image:v1.0.0",
                  "name": "my-app-container",
                  "ports": [
                    {
                      "containerPort": 80
                    }
                  ]
                }
              ]
            }
          }
        }
      },
      "name": "deploy-app-stage",
      "type": "Deploy"
    }
  ]
}"""
"""The body with which the description creates a pipeline."""

SHOWN: Final = r"""{
  "name": "CI Pipeline",
  "git_repository": "https://github.com/example/repo",
  "stages": [
    {
      "name": "Run tests",
      "type": "Run",
      "command": "pytest",
      "timeout": 500
    },
    {
      "name": "Build Docker image",
      "type": "Build",
      "dockerfile": "FROM alpine:latest && CMD [\"echo\", \"Hello, World!\"]",
      "ecr_repository": "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-repo",
      "tag": "latest"
    },
    {
      "name": "deploy-app-stage",
      "type": "Deploy",
      "cluster": {
        "name": "my-cluster",
        "namespace": "production",
        "server_url": "https://my-cluster.example.com"
      },
      "k8s_manifest": {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
          "name": "my-app"
        },
        "spec": {
          "replicas": 2,
          "selector": {
            "matchLabels": {
              "app": "my-app"
            }
          },
          "template": {
            "metadata": {
              "labels": {
                "app": "my-app"
              }
            },
            "spec": {
              "containers": [
                {
                  "image": "my-app-image:v1.0.0",
                  "name": "my-app-container",
                  "ports": [
                    {
                      "containerPort": 80
                    }
                  ]
                }
              ]
            }
          }
        }
      }
    }
  ],
  "parallel": false
}"""
"""What the description then gets, but for the id at its end."""

UPDATED: Final = rb"""{
  "git_repository": "https://github.com/example/repo",
  "name": "CI Pipeline",
  "parallel": true,
  "stages": [
    {
      "command": "pytest",
      "name": "Run tests",
      "timeout": 500,
      "type": "Run"
    }
  ]
}"""
"""The body with which the description replaces it."""


def run_stage(**fields: Any) -> Document:
    """Make a Run stage with some fields replaced."""
    return {"name": "test", "type": "Run", "command": "pytest", **fields}


def build_stage(**fields: Any) -> Document:
    """Make a Build stage with some fields replaced."""
    repository = "123456789012.dkr.ecr.us-east-1.amazonaws.com/shop"
    image = {"dockerfile": "FROM scratch", "ecr_repository": repository, "tag": "latest"}
    return {"name": "image", "type": "Build", **image, **fields}


def deploy_stage(**fields: Any) -> Document:
    """Make a Deploy stage with some fields replaced."""
    cluster = {"name": "prod", "server_url": "https://prod.example"}
    return {"name": "ship", "type": "Deploy", "cluster": cluster, "k8s_manifest": {"kind": "Pod"}, **fields}


def pipeline(*stages: Any, **fields: Any) -> Document:
    """Make a pipeline of some stages with some fields replaced."""
    return {"name": "shop", "stages": list(stages), **fields}


TEXTS: Final = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
NAMES: Final = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=255).filter(
    lambda name: not name.isspace()
)
STAGE_NAMES: Final = NAMES.filter(lambda name: "/" not in name and name[0] not in "0123456789").filter(
    lambda name: name not in {".", ".."}
)
JSON_VALUES: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**90), 10**90)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)

_DNS_LABELS: Final = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", fullmatch=True)

_RUN_STAGES: Final = st.fixed_dictionaries(
    {"type": st.just("Run"), "command": TEXTS.filter(bool)},
    optional={"timeout": st.integers(1, 604_800) | st.floats(0, 604_800, exclude_min=True)},
)
_BUILD_STAGES: Final = st.fixed_dictionaries(
    {
        "type": st.just("Build"),
        "dockerfile": TEXTS.filter(bool),
        "ecr_repository": st.from_regex(
            r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]{1,20}\.amazonaws\.com/[a-zA-Z0-9_-]{1,100}", fullmatch=True
        ),
        "tag": st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", fullmatch=True),
    }
)
_DEPLOY_STAGES: Final = st.fixed_dictionaries(
    {
        "type": st.just("Deploy"),
        "cluster": st.fixed_dictionaries(
            {"name": NAMES, "server_url": _DNS_LABELS.map(lambda host: f"https://{host}:6443")},
            optional={"namespace": _DNS_LABELS},
        ),
        "k8s_manifest": st.dictionaries(TEXTS, JSON_VALUES, max_size=4),
    }
)


@st.composite
def rest_documents(draw: st.DrawFn) -> Document:
    """Make documents that break no rule, their keys in any order."""
    names = draw(st.lists(STAGE_NAMES, max_size=4, unique=True))
    stages = [
        _shuffled(draw, {"name": name, **draw(st.one_of(_RUN_STAGES, _BUILD_STAGES, _DEPLOY_STAGES))})
        for name in names
    ]
    repositories = st.sampled_from(
        (None, "https://github.com/example/repo", "git@github.com:example/repo.git")
    )
    optional = draw(
        st.fixed_dictionaries({}, optional={"git_repository": repositories, "parallel": st.booleans()})
    )
    return _shuffled(draw, {"name": draw(NAMES), "stages": stages, **optional})


def _shuffled(draw: st.DrawFn, fields: Mapping[str, Any]) -> Document:
    return dict(draw(st.permutations(list(fields.items()))))
