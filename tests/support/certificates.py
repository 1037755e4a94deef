"""A throwaway certificate authority with one server and one client certificate, by the openssl command."""

import pathlib
import subprocess


class Authority:
    """Files in `folder`: ca.pem, server.pem, server.key, client.pem, client.key."""

    def __init__(self, folder, name="weir-test"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ca = self._make("ca", f"/CN={name} authority", ca=True)
        self.server = self._make(
            "server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1"
        )
        self.client = self._make("client", f"/CN={name} client")

    def path(self, name):
        return str(self.folder / name)

    def _openssl(self, *arguments):
        subprocess.run(
            ["openssl", *arguments], check=True, stdin=subprocess.DEVNULL, capture_output=True
        )

    def _make(self, name, subject, extension=None, ca=False):
        key, certificate = self.path(f"{name}.key"), self.path(f"{name}.pem")
        common = [
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-keyout",
            key,
            "-subj",
            subject,
        ]
        if ca:
            self._openssl("req", "-x509", *common, "-out", certificate, "-days", "2")
        else:
            request, extensions = self.path(f"{name}.csr"), self.path(f"{name}.ext")
            pathlib.Path(extensions).write_text((extension or "basicConstraints=CA:FALSE") + "\n")
            self._openssl("req", *common, "-out", request)
            self._openssl("x509", "-req", "-in", request, "-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key"),
                          "-CAcreateserial", "-out", certificate, "-days", "2", "-extfile", extensions)  # fmt: skip
        return certificate, key
