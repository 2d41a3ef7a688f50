"""Real git repositories, and real servers for them on loopback."""

import base64
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
}


def git(*arguments: str, folder: Path) -> str:
    """Run git for a test and return what it printed."""
    result = subprocess.run(
        ["git", *arguments], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True, text=True
    )
    return result.stdout.strip()


class Origin:
    """A bare repository and a clone to commit from."""

    def __init__(self, folder: Path) -> None:
        self.bare = folder / "origin.git"
        self._clone = folder / "clone"
        git("init", "--quiet", "--bare", "--initial-branch=main", str(self.bare), folder=folder)
        git("clone", "--quiet", str(self.bare), str(self._clone), folder=folder)

    def commit(self, text: str, branch: str = "main") -> str:
        """Commit a file `file` with this text, push it, and return the commit's id."""
        git("checkout", "--quiet", "-B", branch, folder=self._clone)
        return self._commit_all({"file": text}, text, branch)

    def commit_files(self, files: Mapping[str, str]) -> str:
        """Commit files by their paths to the main branch, push them, and return the commit's id."""
        return self._commit_all(files, "files", "main")

    def commit_link(self, path: str, target: str) -> str:
        """Commit a symbolic link to the main branch, push it, and return the commit's id."""
        (self._clone / path).symlink_to(target)
        return self._commit_all({}, "link", "main")

    def tag(self, name: str, *, annotated: bool = False) -> None:
        """Tag what was committed last, and push the tag."""
        git("tag", *(("--annotate", "--message", name) if annotated else ()), name, folder=self._clone)
        git("push", "--quiet", "origin", f"refs/tags/{name}", folder=self._clone)

    def _commit_all(self, files: Mapping[str, str], message: str, branch: str) -> str:
        for path, text in files.items():
            (self._clone / path).parent.mkdir(parents=True, exist_ok=True)
            (self._clone / path).write_text(text)
        git("add", "--all", folder=self._clone)
        git("commit", "--quiet", "--message", message, folder=self._clone)
        git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", folder=self._clone)
        return git("rev-parse", "HEAD", folder=self._clone)


@contextmanager
def git_daemon(base: Path) -> Iterator[str]:
    """Serve the repositories below a folder by the git protocol; gives the address of that folder."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", f"--base-path={base}", "--export-all"]
    command += ["--verbose", "--informative-errors"]
    with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as daemon:
        assert daemon.stderr is not None
        for line in daemon.stderr:
            if "Ready to rumble" in line:
                break
        drain = threading.Thread(target=daemon.stderr.read, daemon=True)
        drain.start()
        try:
            yield f"git://127.0.0.1:{port}"
        finally:
            daemon.terminate()
            daemon.wait()
            drain.join()


@contextmanager
def git_http(
    base: Path,
    user: str = "",
    password: str = "",
    *,
    protocol_2: bool = True,
    beside: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False,
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve the repositories below a folder by smart HTTP; gives `host:port`.

    With a user it wants basic auth. Without protocol 2 it gives away only commits at which a ref points. What
    is beside it answers requests before git does, if they are its own. With TLS it is smart HTTPS.
    """
    expected = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else None
    backend = Path(git("--exec-path", folder=base)) / "git-http-backend"

    class Handler(BaseHTTPRequestHandler):
        """Hands each request to git-http-backend(1)."""

        def do_GET(self) -> None:
            if beside(self):
                return
            if expected is not None and self.headers.get("Authorization") != expected:
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="git"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            environment = ENVIRONMENT | {
                "GIT_PROJECT_ROOT": str(base),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", "") if protocol_2 else "",
            }
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer = subprocess.run([backend], env=environment, input=body, capture_output=True, check=False)
            head, _, content = answer.stdout.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(headers.pop("Status", "200 OK").split()[0]))
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - the base class names it so.
        do_PUT = do_GET  # noqa: N815 - as do_POST.

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so.
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
