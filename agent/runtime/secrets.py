"""Secrets are files: systemd's credentials first, then the secrets folder."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote

from agent.core.errors import FailedPrecondition

_MARK = re.compile(r"\$\{([A-Za-z0-9_.-]{1,64})\}")


def expand(text: str, folder: Path) -> str:
    """The URI with each ${name} replaced by that secret, user:password, encoded as a URI needs it.

    Raises FailedPrecondition (NO_SECRET).
    """
    return _MARK.sub(lambda match: _encoded(read_secret(match[1], folder)), text)


def _encoded(login: str) -> str:
    user, colon, password = login.partition(":")
    return quote(user, safe="") + colon + quote(password, safe="")


def read_secret(name: str, folder: Path) -> str:
    """A secret's content without the line's end."""
    places = [Path(place) for place in (os.environ.get("CREDENTIALS_DIRECTORY"), folder) if place]
    for place in places:
        try:
            return (place / name).read_text().rstrip("\r\n")
        except FileNotFoundError:
            continue
        except OSError as error:
            raise FailedPrecondition("NO_SECRET", f"the secret {name} cannot be read: {error.strerror}") from error
    looked = " or ".join(str(place) for place in places)
    raise FailedPrecondition("NO_SECRET", f"no secret {name}: write user:password into a file {name} in {looked}")
