"""Why a verb was refused."""

from typing import ClassVar

from chassis.errors import Refused


class EditionNotLoaded(Refused):
    """The case was submitted under the edition of {programme} of {edition} ({hash}), which is not loaded here."""


class CaseTypeNotInEdition(Refused):
    """The edition of {programme} of {edition} knows no application of type {case_type}."""


class MissingDocuments(Refused):
    """These documents are missing: {missing}."""


class UnknownDocument(Refused):
    """The edition of {programme} asks for no document {paper}."""


class AppliedThisYear(Refused):
    """The enterprise has applied for {programme} in {year} already; once a year is allowed."""


class NotYours(Refused):
    """{path} is not the applicant's to give: officers and experts judge."""

    status: ClassVar[int] = 422


class NotYourJudgement(Refused):
    """{name} is judged by {by}."""

    status: ClassVar[int] = 403


class NotPassed(Refused):
    """A grant cannot be proposed: the verdict is {verdict}. Not met: {failed}. Still unknown: {unknown}."""


class NothingProposed(Refused):
    """Only a proposal to grant goes on public notice; this one is to {proposal}."""


class ReasonsNeeded(Refused):
    """At least one reason is needed, so that the enterprise can act on it."""

    status: ClassVar[int] = 422
