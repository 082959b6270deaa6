"""A walk through a settings page, wherever an app has it: as a browser, with cookies and tokens."""

from __future__ import annotations

import html
import re
from typing import Any

from flask import Flask
from pages import sent, stored
from werkzeug.test import Client, TestResponse


class Walk:
    """Uses the page of an app that has the setting SITENAME, the default "Waffle" and a history.

    :param app: the app of the page; its CSRF protection is on.
    :param url: the path of the page, as the browser has it.
    :param site: the WSGI app that the browser reaches, if it is another one.
    :param base: scheme, host, and the SCRIPT_NAME that the server sets.
    :param cookies: the path of the session cookie.
    """

    def __init__(
        self,
        app: Flask,
        url: str,
        *,
        site: Any = None,
        base: str = "http://localhost",
        cookies: str = "/",
    ) -> None:
        self.app, self.url, self.base, self.cookies = app, url, base, cookies
        self.client = Client(site or app)
        self.mounted = "/" + base.split("://")[1].partition("/")[2]

    def ask(self, method: str, path: str, **options: Any) -> TestResponse:
        """The response to a path as links have it, with the part that the server sets."""
        assert path.startswith(self.mounted), path
        path = "/" + path.removeprefix(self.mounted).lstrip("/")
        response = self.client.open(path, method=method, base_url=self.base, **options)
        for cookie in response.headers.getlist("Set-Cookie"):
            assert f"; Path={self.cookies}" in cookie + ";"
        return response

    def get(self, path: str) -> TestResponse:
        response = self.ask("GET", path)
        assert response.status_code == 200, (path, response.status)
        return response

    def all_of_it(self) -> None:
        """Open the page, follow its links, save, undo and read the history, and use its API."""
        self.refuse_a_form_without_a_token()
        self.save("Crêperie")
        self.follow_the_links()
        self.undo()
        if f"{self.app.url_map}".count("/api/openapi.json"):
            self.use_the_api("Bistro")

    def refuse_a_form_without_a_token(self) -> None:
        self.get(self.url)
        refused = self.ask("POST", self.url, data={"SITENAME": "forged"})
        assert refused.status_code == 422 and stored(self.app)["SITENAME"] == "Waffle"

    def save(self, name: str) -> None:
        form = sent(self.get(self.url).text, SITENAME=name)
        saved = self.ask("POST", f"{self.url}?q=site", data=form)
        assert (saved.status_code, saved.location) == (303, f"{self.url}?q=site#SITENAME")
        assert stored(self.app)["SITENAME"] == self.app.config["SITENAME"] == name

    def follow_the_links(self) -> None:
        """Links, forms and assets of the page and the history lead below it, and are there."""
        self.page = self.get(self.url).text
        self.history = self.get(f"{self.url}/history?actor=").text
        assert self.app.config["SITENAME"] in self.history
        links = [
            html.unescape(link)
            for text in (self.page, self.history)
            for link in re.findall(r'(?:href|src|action)="(/[^"#]*)', text)
        ]
        below = {link for link in links if link.startswith(self.url.rstrip("/"))}
        assert below == set(links) and len(below) > 3
        for link in below - {f"{self.url}/history/undo"}:
            self.get(link).close()
        self.get(f"{self.url}/assets/base.css").close()
        assert self.ask("GET", f"{self.url}/history/undo").location == f"{self.url}/history"

    def undo(self) -> None:
        """Undo the save with the button in its message."""
        form = sent(self.page.partition('action="/')[2])
        name = re.search(r'name="undo" value="([^"]*)"', self.history)
        assert name
        undone = self.ask(
            "POST", f"{self.url}/history/undo", data={**form, "undo": name[1], "back": "index"}
        )
        assert (undone.status_code, undone.location) == (303, self.url)
        assert stored(self.app)["SITENAME"] == "Waffle"

    def use_the_api(self, name: str) -> None:
        (server,) = self.get(f"{self.url}/api/openapi.json").json["servers"]
        assert server["url"] == f"{self.url}/api"
        token = sent(self.get(self.url).text)["csrf_token"]
        for headers, status in (({}, 403), ({"X-CSRFToken": token}, 200)):
            answer = self.ask(
                "PATCH",
                f"{server['url']}/settings/SITENAME",
                json={"value": name},
                headers=headers,
            )
            assert answer.status_code == status, answer.text
        listed = self.get(f"{server['url']}/history?limit=1").json
        assert self.get(listed["next"]).json["changes"][0]["key"] == "SITENAME"
        assert stored(self.app)["SITENAME"] == name
