"""A real OpenID Connect provider, Django OAuth Toolkit, with two users and one client.

Called with its folder and the client's redirect URI, which holds for every port of the loopback interface. It
says where it listens, and serves until it is killed.
"""

import sys
import warnings
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

CLIENT_ID = "lineshaft"
CLIENT_SECRET = "client+secret/with=signs"
USERS = {"ada": ["devs"], "ben": ["ops", "devs"]}
PASSWORD = "kept at the provider"

LOGIN_PAGE = """<form method="post">{% csrf_token %}{{ form }}
<input type="hidden" name="next" value="{{ next }}"></form>"""
CONSENT_PAGE = """<form method="post">{% csrf_token %}{{ form }}
<input type="submit" name="allow" value="Authorize"></form>"""


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def _configure(folder: Path) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from django.conf import settings

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    settings.configure(
        SECRET_KEY="only for a test",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="openid_provider_urls",
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.AutoField",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": folder / "provider.db"}},
        # Tables are made as they are now, and not by way of all that they have been.
        MIGRATION_MODULES=dict.fromkeys(["auth", "contenttypes", "sessions", "oauth2_provider"]),
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "oauth2_provider",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "OPTIONS": {
                    "loaders": [
                        (
                            "django.template.loaders.locmem.Loader",
                            {
                                "registration/login.html": LOGIN_PAGE,
                                "oauth2_provider/authorize.html": CONSENT_PAGE,
                            },
                        )
                    ]
                },
            }
        ],
        LOGIN_URL="/login",
        OAUTH2_PROVIDER={
            "OIDC_ENABLED": True,
            "OIDC_RSA_PRIVATE_KEY": key.decode(),
            "OAUTH2_VALIDATOR_CLASS": "openid_claims.Claims",
            "SCOPES": {"openid": "who you are", "profile": "your name", "email": "your address"},
            "PKCE_REQUIRED": True,
            "AUTHORIZATION_CODE_EXPIRE_SECONDS": 600,
            "ALLOW_LOCALHOST_LOOPBACK": True,
            "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
            "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
        },
    )


def _fill(redirect_uri: str) -> None:
    from django.contrib.auth.models import Group, User
    from django.core.management import call_command
    from oauth2_provider.models import Application

    call_command("migrate", verbosity=0, run_syncdb=True)
    for name, groups in USERS.items():
        user = User.objects.create_user(name, f"{name}@example.org", PASSWORD)
        user.groups.set([Group.objects.get_or_create(name=group)[0] for group in groups])
    Application.objects.create(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        algorithm="RS256",
        redirect_uris=redirect_uri,
    )


def main(folder: Path, redirect_uri: str) -> None:
    import django
    from django.core.wsgi import get_wsgi_application

    _configure(folder)
    django.setup()
    _fill(redirect_uri)
    with make_server("127.0.0.1", 0, get_wsgi_application(), _Server, _Quiet) as server:
        sys.stdout.write(f"http://127.0.0.1:{server.server_port}/o\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), sys.argv[2])
