"""File submission: what the form of an import has sent, a file or a decision about its values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from flask import request
from werkzeug.datastructures import FileStorage, MultiDict

from ..exceptions import InvalidValue
from ..files import format_of, read_document
from ..forms.submission import PAGE
from ..i18n import gettext as _
from ..state.names import NamedRows
from .form_body import FORM_BYTES
from .submission import note_of, ticked

# Names of inputs
FILE = PAGE + "file"
DOCUMENT = PAGE + "document"  #: the values of the file, from its review on

#: Bytes of a file that the page reads. The review sends its values again, in at most nine times as
#: many, which have to fit into `FORM_BYTES`; and nobody reviews more.
MOST_BYTES = 2 * 2**20
#: Bytes of a request that is too large which are read all the same: a browser displays no response
#: before it has sent everything.
MOST_DROPPED = 2**26


class FileSubmission:
    """What the form of an import has sent.

    :param form: the form data.
    :param files: the uploaded files.
    :param names: the former names of settings: the file may be of an older release.
    """

    def __init__(
        self, form: MultiDict[str, str], files: MultiDict[str, FileStorage], names: NamedRows
    ) -> None:
        self._names = names
        self._file = files.get(FILE)
        self._packed = form.get(DOCUMENT)
        self.note = note_of(form)
        #: The version of each chosen setting that the review displayed, by key.
        self.chosen = ticked(form)

    @property
    def is_reviewed(self) -> bool:
        """Whether a review has sent it, with what was chosen there."""
        return self._packed is not None

    def untick(self, keys: Iterable[str]) -> None:
        """Take settings out of those that are chosen."""
        for key in keys:
            self.chosen.pop(key, None)

    @cached_property
    def document(self) -> Mapping[str, object]:
        """The values by key, as files have them.

        :raises InvalidValue: there is no file, or it can't be read; the message says where.
        """
        return self._names.by_key(self._read())

    def _read(self) -> dict[str, object]:
        if self._packed is not None:
            return read_document(self._packed.encode())
        if self._file is None or not self._file.filename:
            raise InvalidValue(_("Choose a file."))
        content = self._file.stream.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise InvalidValue(too_large())
        return read_document(content, format_of(self._file.filename))


def drop_if_too_large() -> bool:
    """Whether the request is larger than any form of ours; then nothing more can be read of it."""
    length = request.content_length
    if length is not None and length <= FORM_BYTES:
        return False
    left = MOST_DROPPED
    while left > 0 and (chunk := request.stream.read(2**16)):
        left -= len(chunk)
    return True


def too_large() -> str:
    """Return the message about a file that is too large."""
    return _(
        "This file is too large: the page reads at most %(count)s MB, the command line more.",
        count=MOST_BYTES // 2**20,
    )
