"""Import review: what a file would change, with a box for each setting."""

from __future__ import annotations

from typing import NamedTuple

from ..files import Drift, Plan, Step, pack_document
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..permissions import Permissions
from .diff import Comparer
from .file_submission import FileSubmission
from .review import ReviewedChange, consequence_of, reviewed_change, version_of
from .times import relative_time


class ReviewedStep(NamedTuple):
    """One setting that the file would change."""

    change: ReviewedChange
    box: str  #: what its box sends
    ticked: bool
    drift: str  #: who has changed it, in a sentence; "" if it has not drifted


class ImportReview:
    """The review of one file for one user.

    :param permissions: of the user.
    :param plan: what an import of the whole file would do.
    :param form: of the settings that it would change.
    :param sent: what the user has sent.
    """

    def __init__(
        self,
        permissions: Permissions,
        plan: Plan,
        form: SettingsForm,
        sent: FileSubmission,
    ) -> None:
        self._permissions = permissions
        self.form = form
        self._sent = sent
        self.note = sent.note or ""
        self.plan = plan

    @property
    def chosen(self) -> Plan:
        """The plan of those settings that are ticked."""
        return self.plan._replace(steps=[s for s in self.plan.changes if self._is_ticked(s)])

    @property
    def in_force(self) -> dict[str, object]:
        """The values by key that are ticked and in force already."""
        return {s.key: s.new for s in self.plan.unchanged if s.key in self._sent.chosen}

    def overtaken(self) -> list[str]:
        """Return the keys of those settings that were saved since they were ticked."""
        versions = self._sent.chosen
        return [s.key for s in self.chosen.steps if self._version(s.key) != versions[s.key]]

    @property
    def document(self) -> str:
        """The values of the file that the form sends again."""
        document = self._sent.document
        return pack_document({s.key: document[s.key] for s in self.plan.changes})

    def steps(self) -> list[ReviewedStep]:
        """Return what is displayed of each setting that the file would change."""
        comparer = Comparer()
        return [self._reviewed(step, comparer) for step in self.plan.changes]

    def _is_ticked(self, step: Step) -> bool:
        """Whether the user wants a change; before the first review those that undo no person's."""
        return step.key in self._sent.chosen if self._sent.is_reviewed else not step.drift

    def _reviewed(self, step: Step, comparer: Comparer) -> ReviewedStep:
        field = self.form[step.key]
        change = reviewed_change(field, step.new, comparer)
        return ReviewedStep(
            change._replace(consequence=consequence_of(field, step.new)),
            f"{self._version(step.key)} {step.key}",
            self._is_ticked(step),
            self._drift_text(step.key, step.drift) if step.drift else "",
        )

    def _drift_text(self, key: str, drift: Drift) -> str:
        if key not in self._permissions.with_history:
            return _("A person has changed it here.")
        if drift.at is None:
            return _("The history does not know who has changed it.")
        when = relative_time(drift.at)
        if not drift.actor:
            return _("Changed here, %(when)s.", when=when)
        return _("Changed here by %(actor)s, %(when)s.", actor=drift.actor, when=when)

    def _version(self, key: str) -> str:
        """A short text that is another one for each stored text."""
        text = self.plan.records[key].text
        return "-" if text is None else version_of(text)
