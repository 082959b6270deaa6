"""Submission: what was sent, and what the page that sent it had shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping

from werkzeug.datastructures import MultiDict

from ..fields.secret import SecretField
from ..fields.value_text import join_values
from ..settings.notation import Notation, notation_of, reader_notation
from ..settings.setting import Setting
from .guard import field_name
from .merge_token import MergeSigner, load_token

#: The name of the hidden input with the merge token.
TOKEN = "waffle_token"  # nosec B105 # a name, no password
#: The prefix of the names of what the settings page sends besides its settings.
PAGE = "waffle."
#: The prefix of the names of controls whose setting has a key that may not be a name itself.
SETTING = "setting."

#: A digest that equals no other: what a control showed is not known.
UNKNOWN = b"?"


class ControlNames:
    """The names of controls in HTML: the key of the setting, unless that has a meaning already."""

    def __init__(self) -> None:
        self._reserved = TOKEN, field_name()

    def __call__(self, key: str) -> str:
        """Return the name of the control of a setting."""
        # The prefix is reserved too, so that no two keys have the same name.
        reserved = key in self._reserved or key.startswith((PAGE, SETTING))
        return SETTING + key if reserved else key

    def by_key(self, sent: MultiDict[str, str]) -> dict[str, list[str]]:
        """Return what controls have sent, by the keys of their settings."""
        found = dict(zip(sent, sent.listvalues(), strict=True))
        prefixed = [name for name in found if name.startswith((PAGE, SETTING))]
        taken = {name: found.pop(name) for name in (*prefixed, *self._reserved) if name in found}
        for name in prefixed:
            key = name.removeprefix(SETTING)
            if self(key) == name:
                found[key] = taken[name]
        return found


def renamed(sent: MultiDict[str, str], former: Mapping[str, str]) -> MultiDict[str, str]:
    """Return what a page of an older release has sent, under the present names of controls."""
    name_of = ControlNames()
    names = {name_of(name): name_of(key) for name, key in former.items()}
    if sent.keys().isdisjoint(names):
        return sent
    pairs = ((names.get(name, name), name, text) for name, text in sent.items(multi=True))
    return MultiDict((new, text) for new, name, text in pairs if new == name or new not in sent)


class Submission:
    """What a page or a script has sent.

    :param sent: the form data.
    :param signers: of the app's secret keys; none if it has none, and so no tokens.
    :param former: the keys of settings by their former names: the page may be of an older release.
    """

    #: Returns the digest of a key and text, to be compared with that of the page.
    digest: Callable[[str, str], bytes]

    def __init__(
        self,
        sent: MultiDict[str, str],
        signers: list[MergeSigner],
        former: Mapping[str, str] | None = None,
    ) -> None:
        self._sent = ControlNames().by_key(renamed(sent, former) if former else sent)  #: by key
        self.unreadable = False  #: whether it has a token that none of the signers has signed
        self._shown: dict[str, bytes] | None = None
        self._locale: str | None = None  #: None: no page is known
        self._secrets: Collection[str] = ()
        self._untouched: set[str] = set()  #: the keys of controls of which that is known
        self.digest = signers[0].digest if signers else _as_bytes
        token = sent.get(TOKEN)
        if token is None or not signers:
            return
        loaded = load_token(token, signers)
        if loaded:
            signer, page = loaded
            self._locale, self._shown, self._secrets = page.locale, page.digests, page.secrets
            self.digest = signer.digest
            values, public = self._sent, page.digests.keys() - set(page.secrets)
            texts = {key: join_values(values.get(key, ())) for key in page.digests if key in public}
            self._untouched = signer.find_untouched(page, texts)
            self._rename(former or {})
        else:
            self._shown, self.unreadable = {}, True

    def _rename(self, former: Mapping[str, str]) -> None:
        """Take what the page had shown under a former name as shown under the present one."""
        shown, digest = self._shown or {}, self.digest
        names = {key: name for name, key in former.items() if name in shown and key not in shown}
        if names:
            # A digest is of the name too.
            self._shown = {**shown, **{key: shown[name] for key, name in names.items()}}
            self.digest = lambda key, text: digest(names.get(key, key), text)
            secret = {key for key, name in names.items() if name in self._secrets}
            self._secrets = {*self._secrets, *secret}

    @property
    def notation(self) -> Notation:
        """How the page wrote numbers, whatever the reader's locale is by now."""
        return reader_notation() if self._locale is None else notation_of(self._locale)

    @property
    def from_page(self) -> bool:
        """Whether it has a page's token; a script has none, and then the last write wins."""
        return self._shown is not None

    def __iter__(self) -> Iterator[str]:
        """The keys of the settings that the page had a control for."""
        return iter(self._shown or ())

    def had(self, key: str) -> bool:
        """Whether the page had a control for a setting."""
        return key in (self._shown or ())

    def has(self, key: str) -> bool:
        """Whether anything was sent for a setting."""
        return key in self._sent

    def values(self, key: str) -> list[str]:
        """Return what was sent for a setting; nothing was where it is empty."""
        return self._sent.get(key, [])

    def touched(self, settings: Mapping[str, Setting]) -> list[str]:
        """Return the keys of settings whose controls have sent something else than the page had
        put into them.

        A field is not needed for that: making one costs more than all this, and it may have
        another control since a deployment.
        """
        shown, untouched, found = self._shown or {}, self._untouched, []
        for key in [key for key in settings if key not in untouched]:
            values = self._sent.get(key, [])
            if settings[key].secret:
                if SecretField.canonical(values):  # blank keeps it
                    found.append(key)
            elif values and shown.get(key) != self.digest(key, join_values(values)):
                found.append(key)
        return found

    def shown(self, key: str) -> bytes | None:
        """Return the digest of what the page had shown, for `merge.decide`."""
        if self._shown is None or self.unreadable:
            return None
        # The page did not have that control: a deployment was in between.
        return self._shown.get(key, UNKNOWN)

    def was_secret(self, key: str) -> bool:
        """Whether the control that the page had for a setting was that of a secret."""
        return key in self._secrets


def _as_bytes(key: str, text: str) -> bytes:
    """Stands in for a digest where there is no page to compare with."""
    return text.encode("utf-8", "surrogatepass")
