"""Certificates made by openssl for a test's own broker."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


class Authority:
    """Signs certificates; all its files lie in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl(
            "req", "-x509", *_KEY, "-keyout", self._key, "-out", self.certificate, "-subj", "/CN=farm-ca", "-days", "2"
        )

    def sign(self, name: str, *, names: str = "DNS:localhost,IP:127.0.0.1", days: int = 2) -> tuple[Path, Path]:
        """(certificate, key); expired with days=-1."""
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        with tempfile.TemporaryDirectory() as passing:
            request, more = Path(passing) / "request", Path(passing) / "more"
            more.write_text(f"subjectAltName={names}")
            _openssl("req", *_KEY, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
            _openssl(
                "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial",
                "-days", days, "-out", certificate, "-extfile", more,
            )  # fmt: skip
        return certificate, key


def listener(authority: Authority, certificate: Path, key: Path, *, clients: bool = False) -> str:
    """The lines that make a mosquitto listener speak TLS; `clients` must then show a certificate of the authority's."""
    lines = [f"cafile {authority.certificate}", f"certfile {certificate}", f"keyfile {key}", "user root"]
    return "\n".join([*lines, *(["require_certificate true"] if clients else [])])


def _openssl(*words: object) -> None:
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)
