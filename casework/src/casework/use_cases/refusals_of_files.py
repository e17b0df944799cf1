"""Why a file, an export, a form or a list was refused."""

from typing import ClassVar

from chassis.errors import Refused


class EmptyFile(Refused):
    """The file is empty."""

    status: ClassVar[int] = 422


class FileTypeNotTaken(Refused):
    """A file of type {found} is not taken as a document; taken are {taken}."""

    status: ClassVar[int] = 422


class FileTypeUnknown(Refused):
    """The bytes of the file do not say what it is; taken are {taken}."""

    status: ClassVar[int] = 422


class NamedOtherwise(Refused):
    """The file is called {file_name}, and its bytes are {found}."""

    status: ClassVar[int] = 422


class NotYetUploaded(Refused):
    """Document {paper} is declared, and its file is not uploaded yet."""


class DocumentLost(Refused):
    """The file of document {paper} is not in the storage as it was uploaded; the operator has been told."""

    status: ClassVar[int] = 500


class ExportWaits(Refused):
    """The export is not written yet; ask again in a moment."""


class ExportTooLong(Refused):
    """The list has more rows than a workbook holds; narrow it, or take it as csv."""


class ExportRemoved(Refused):
    """The file of this export was removed at {removed_at}; ask for the list anew."""

    status: ClassVar[int] = 410


class ExportLost(Refused):
    """The file of this export is not in the storage as it was written; ask for the list anew."""

    status: ClassVar[int] = 500


class NoForm(Refused):
    """The edition of {programme} of {edition} has no form for this here."""

    status: ClassVar[int] = 404


class DecisionListLost(Refused):
    """The bytes of this list are not in the storage as they were taken in; the operator has been told."""

    status: ClassVar[int] = 500
